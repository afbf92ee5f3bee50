/* The calls of the ABI; plugin.c puts them into the vtable. What each has to do is said beside its
 * slot in <swapmq/backend.h>. */
#ifndef SESSION_H
#define SESSION_H

#include <swapmq/backend.h>

swapmq_status plugin_open(const swapmq_open_args* args, swapmq_backend** backend,
                          swapmq_error* error);
void plugin_close(swapmq_backend* backend);

swapmq_status session_open(swapmq_backend* backend, int32_t role, int64_t deadline_ns,
                           swapmq_session** session, swapmq_error* error);
void session_close(swapmq_session* session);
swapmq_status session_ping(swapmq_session* session, int64_t deadline_ns, swapmq_error* error);
swapmq_status session_service(swapmq_session* session, int64_t deadline_ns, swapmq_error* error);
void session_interrupt(swapmq_session* session);

swapmq_status session_queue_open(swapmq_session* session, swapmq_bytes name,
                                 const swapmq_queue_spec* spec, swapmq_queue** queue,
                                 swapmq_error* error);
swapmq_status session_create_queue(swapmq_session* session, swapmq_queue* queue,
                                   int64_t deadline_ns, swapmq_error* error);
swapmq_status session_delete_queue(swapmq_session* session, swapmq_queue* queue,
                                   int64_t deadline_ns, swapmq_error* error);
swapmq_status session_queue_stats(swapmq_session* session, swapmq_queue* queue,
                                  swapmq_queue_stats* stats, int64_t deadline_ns,
                                  swapmq_error* error);
swapmq_status session_purge_queue(swapmq_session* session, swapmq_queue* queue, uint64_t* removed,
                                  int64_t deadline_ns, swapmq_error* error);
swapmq_status session_list_queues(swapmq_session* session,
                                  void (*each)(void* context, swapmq_bytes name), void* context,
                                  int64_t deadline_ns, swapmq_error* error);

swapmq_status session_publish(swapmq_session* session, swapmq_queue* queue,
                              const swapmq_publish_args* args, swapmq_error* error);

swapmq_status session_subscribe(swapmq_session* session, swapmq_queue* queue,
                                const swapmq_subscribe_args* args,
                                swapmq_subscription** subscription, swapmq_error* error);
swapmq_status session_exchange(swapmq_session* session, swapmq_subscription* subscription,
                               const swapmq_exchange_args* args, swapmq_batch** batch,
                               swapmq_error* error);
void session_unsubscribe(swapmq_session* session, swapmq_subscription* subscription);

/* Fills the error, which may be NULL; gives the status back. */
swapmq_status fail(swapmq_error* error, swapmq_status status, const char* text);
/* The same with INVALID_ARGUMENT. */
swapmq_status wrong(swapmq_error* error, const char* text);
int headers_are_right(const swapmq_header* headers, uint32_t count, uint32_t size);

#endif

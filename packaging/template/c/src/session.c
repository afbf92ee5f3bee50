/* Sessions, queues, publishing. Every pointer is looked at before it is used: a host that passes a
 * wrong one is told so, and goes on. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "parts.h"

swapmq_status fail(swapmq_error* error, swapmq_status status, const char* text) {
  if (error == NULL) return status;
  error->status = status;
  error->flags = error->retry_after_ms = error->message_length = 0;
  if (error->message == NULL || error->message_capacity == 0) return status;
  size_t length = strlen(text);
  if (length >= error->message_capacity) length = error->message_capacity - 1;
  memcpy(error->message, text, length);
  error->message[length] = '\0';
  error->message_length = (uint32_t)length;
  return status;
}

swapmq_status wrong(swapmq_error* error, const char* text) {
  return fail(error, SWAPMQ_INVALID_ARGUMENT, text);
}

static swapmq_status no_memory(swapmq_error* error) {
  return fail(error, SWAPMQ_RESOURCE_EXHAUSTED, "there is no memory");
}

/* ---- backend and session --------------------------------------------------------------------- */

/* What the options say is here to be read; the host has checked it against the schema. */
swapmq_status plugin_open(const swapmq_open_args* args, swapmq_backend** backend,
                          swapmq_error* error) {
  if (args == NULL || backend == NULL) return wrong(error, "open: an argument is NULL");
  if (!SWAPMQ_HAS_FIELD(swapmq_open_args, args, deadline_ns) || args->host == NULL) {
    return wrong(error, "open: the arguments are too small, or lack the host");
  }
  swapmq_backend* made = calloc(1, sizeof *made);
  if (made == NULL) return no_memory(error);
  made->host = args->host;
  made->store = store_open();
  if (made->store == NULL) {
    free(made);
    return no_memory(error);
  }
  *backend = made;
  return SWAPMQ_OK;
}

void plugin_close(swapmq_backend* backend) {
  if (backend == NULL) return;
  store_close(backend->store);
  free(backend);
}

swapmq_status session_open(swapmq_backend* backend, int32_t role, int64_t deadline_ns,
                           swapmq_session** session, swapmq_error* error) {
  (void)deadline_ns; /* there is nobody to connect to */
  if (backend == NULL || session == NULL) return wrong(error, "session_open: an argument is NULL");
  if (role < SWAPMQ_ROLE_PUBLISH || role > SWAPMQ_ROLE_ADMIN) {
    return wrong(error, "session_open: no such role");
  }
  swapmq_session* made = calloc(1, sizeof *made);
  if (made == NULL) return no_memory(error);
  made->store = backend->store;
  *session = made;
  return SWAPMQ_OK;
}

void session_close(swapmq_session* session) {
  if (session == NULL) return;
  while (session->subscriptions != NULL) session_unsubscribe(session, session->subscriptions);
  while (session->queues != NULL) {
    swapmq_queue* first = session->queues;
    session->queues = first->next;
    free(first);
  }
  free(session);
}

swapmq_status session_ping(swapmq_session* session, int64_t deadline_ns, swapmq_error* error) {
  (void)deadline_ns;
  return session != NULL ? SWAPMQ_OK : wrong(error, "ping: session is NULL");
}

swapmq_status session_service(swapmq_session* session, int64_t deadline_ns, swapmq_error* error) {
  (void)deadline_ns; /* heartbeats and leases would be served here */
  return session != NULL ? SWAPMQ_OK : wrong(error, "service: session is NULL");
}

void session_interrupt(swapmq_session* session) {
  if (session != NULL) waiter_interrupt(session->store, &session->waiter);
}

/* ---- queues ---------------------------------------------------------------------------------- */

swapmq_status session_queue_open(swapmq_session* session, swapmq_bytes name,
                                 const swapmq_queue_spec* spec, swapmq_queue** queue,
                                 swapmq_error* error) {
  if (session == NULL || queue == NULL) return wrong(error, "queue_open: an argument is NULL");
  if (name.data == NULL || name.size == 0) return wrong(error, "a queue name is empty");
  if (name.size > MAX_NAME_BYTES || memchr(name.data, '\0', name.size) != NULL) {
    return wrong(error, "a queue name is 1 to 255 bytes and has no NUL; choose another");
  }
  if (spec != NULL && SWAPMQ_HAS_FIELD(swapmq_queue_spec, spec, max_length) &&
      (spec->max_length != 0 || spec->flags != 0)) {
    return fail(error, SWAPMQ_NOT_SUPPORTED, "queues have neither a bound nor strict order here");
  }
  swapmq_queue* made = calloc(1, sizeof *made);
  if (made == NULL) return no_memory(error);
  made->of = queue_of(session->store, name);
  if (made->of == NULL) {
    free(made);
    return no_memory(error);
  }
  made->next = session->queues; /* freed with the session */
  session->queues = made;
  *queue = made;
  return SWAPMQ_OK;
}

swapmq_status session_create_queue(swapmq_session* session, swapmq_queue* queue,
                                   int64_t deadline_ns, swapmq_error* error) {
  (void)deadline_ns;
  if (session == NULL || queue == NULL) return wrong(error, "create_queue: an argument is NULL");
  queue_create(session->store, queue->of);
  return SWAPMQ_OK;
}

swapmq_status session_delete_queue(swapmq_session* session, swapmq_queue* queue,
                                   int64_t deadline_ns, swapmq_error* error) {
  (void)deadline_ns;
  if (session == NULL || queue == NULL) return wrong(error, "delete_queue: an argument is NULL");
  queue_delete(session->store, queue->of);
  return SWAPMQ_OK;
}

swapmq_status session_queue_stats(swapmq_session* session, swapmq_queue* queue,
                                  swapmq_queue_stats* stats, int64_t deadline_ns,
                                  swapmq_error* error) {
  (void)deadline_ns;
  if (session == NULL || queue == NULL || stats == NULL || stats->struct_size < sizeof(uint32_t)) {
    return wrong(error, "queue_stats: an argument is NULL or has no size");
  }
  swapmq_queue_stats read = {0};
  queue_sizes(session->store, queue->of, &read);
  read.struct_size = stats->struct_size; /* the caller's may be older and smaller */
  memcpy(stats, &read, read.struct_size < sizeof read ? read.struct_size : sizeof read);
  return SWAPMQ_OK;
}

swapmq_status session_purge_queue(swapmq_session* session, swapmq_queue* queue, uint64_t* removed,
                                  int64_t deadline_ns, swapmq_error* error) {
  (void)deadline_ns;
  if (session == NULL || queue == NULL || removed == NULL) {
    return wrong(error, "purge_queue: an argument is NULL");
  }
  *removed = queue_purge(session->store, queue->of);
  return SWAPMQ_OK;
}

swapmq_status session_list_queues(swapmq_session* session,
                                  void (*each)(void* context, swapmq_bytes name), void* context,
                                  int64_t deadline_ns, swapmq_error* error) {
  (void)deadline_ns;
  if (session == NULL || each == NULL) return wrong(error, "list: an argument is NULL");
  return queue_list(session->store, each, context) ? SWAPMQ_OK : no_memory(error);
}

/* ---- publishing ------------------------------------------------------------------------------ */

static int readable(swapmq_bytes bytes) { return bytes.size == 0 || bytes.data != NULL; }

int headers_are_right(const swapmq_header* headers, uint32_t count, uint32_t size) {
  if (count == 0) return 1;
  if (headers == NULL || size < sizeof(swapmq_header)) return 0;
  for (uint32_t i = 0; i < count; ++i) {
    const swapmq_header* one = (const swapmq_header*)((const char*)headers + (size_t)i * size);
    if (one->name.size == 0 || one->name.size > 255) return 0;
    if (!readable(one->name) || !readable(one->value)) return 0;
  }
  return 1;
}

static int message_is_right(const swapmq_message* given) {
  return given->id.size > 0 && given->id.size <= 255 && given->priority <= 9 &&
         readable(given->id) && readable(given->body) && readable(given->ordering_key) &&
         readable(given->correlation_id) && readable(given->reply_to) &&
         readable(given->content_type) &&
         headers_are_right(given->headers, given->header_count, given->header_size);
}

static const swapmq_message* message_at(const swapmq_publish_args* args, uint64_t i) {
  return (const swapmq_message*)((const char*)args->messages + i * args->message_size);
}

/* What is declared absent is refused, never taken and ignored. */
static swapmq_publish_result publish_one(swapmq_session* session, swapmq_queue* queue,
                                         const swapmq_message* given) {
  const swapmq_publish_result confirmed = {SWAPMQ_PUBLISH_CONFIRMED, SWAPMQ_OK, 0, 0};
  const swapmq_publish_result refused = {SWAPMQ_PUBLISH_FAILED, SWAPMQ_NOT_SUPPORTED, 0, 0};
  const swapmq_publish_result full = {SWAPMQ_PUBLISH_FAILED, SWAPMQ_RESOURCE_EXHAUSTED,
                                      SWAPMQ_ERROR_RETRYABLE, 0};
  if (given->expires_at_ms != 0 || given->due_at_ms > unix_now_ms()) return refused;
  return queue_publish(session->store, queue->of, given) ? confirmed : full;
}

swapmq_status session_publish(swapmq_session* session, swapmq_queue* queue,
                              const swapmq_publish_args* args, swapmq_error* error) {
  if (session == NULL || queue == NULL || args == NULL) {
    return wrong(error, "publish: an argument is NULL");
  }
  if (!SWAPMQ_HAS_FIELD(swapmq_publish_args, args, deadline_ns) || args->count == 0 ||
      args->messages == NULL || args->results == NULL ||
      args->message_size < sizeof(swapmq_message) ||
      args->result_size < sizeof(swapmq_publish_result)) {
    return wrong(error, "publish: the arguments are wrong");
  }
  for (uint64_t i = 0; i < args->count; ++i) { /* all or none, as long as none is sent */
    if (!message_is_right(message_at(args, i))) return wrong(error, "publish: a message is wrong");
  }
  for (uint64_t i = 0; i < args->count; ++i) {
    swapmq_publish_result* result =
        (swapmq_publish_result*)((char*)args->results + i * args->result_size);
    *result = publish_one(session, queue, message_at(args, i));
  }
  return SWAPMQ_OK;
}

/* SPDX-License-Identifier: MIT
 *
 * swapmq for C applications, and for every language with a foreign function interface: publish to
 * and consume from queues; which broker stands behind them is a word in a JSON file. C99.
 *
 *   char error[512];
 *   swapmq_mq* mq = NULL;
 *   if (swapmq_mq_open("swapmq.json", &mq, error, sizeof error) != SWAPMQ_MQ_OK) puts(error);
 *   swapmq_mq_message message = {.struct_size = sizeof message, .body = "resize 42.png",
 *                                .body_size = 13};
 *   swapmq_mq_sent sent;
 *   swapmq_mq_publish(mq, "tasks", &message, 1, 30000, &sent, error, sizeof error);
 *   swapmq_mq_free(mq);
 *
 * The same library as swapmq.hpp, which says more of what each thing means.
 *
 * Threads: every function may be called from any thread, concurrently, but for those that free:
 * what they free must not be in use. Blocking: a function with a timeout_ms (milliseconds, on the
 * monotonic clock; 0 or less: not at all) may block that long; open and reload for reading files
 * and loading plugins; others return at once. Ownership: what is passed in is borrowed for the
 * call; what an out parameter receives is the caller's to free with the function that says so;
 * pointers that are returned live as long as the object that they came from. Callbacks:
 * swapmq_mq_handler alone, on threads of the consumer. Fork: no function may be called in a child
 * of a process that has a message queue open.
 *
 * Errors: a status, and one line of text in the caller's buffer (error, of error_size bytes; NULL
 * and 0 are fine), NUL-terminated, cut where it does not fit; empty if there is none. No output but
 * this is touched on failure, unless it says otherwise. No text holds secrets.
 *
 * Sizes: text that is passed in as a const char* ends with a NUL; what may hold any byte comes with
 * its size. Structs begin with struct_size, which the caller sets to sizeof: later versions append
 * members, and take those that a caller does not know as zero. */
#ifndef SWAPMQ_SWAPMQ_H
#define SWAPMQ_SWAPMQ_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SWAPMQ_C_API __attribute__((visibility("default")))
#else
#define SWAPMQ_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- statuses -------------------------------------------------------------------------------- */

/* As swapmq::Errc. */
#define SWAPMQ_MQ_OK 0
#define SWAPMQ_MQ_INVALID_ARGUMENT 1 /* the call is wrong; repeating it is, too */
#define SWAPMQ_MQ_NOT_SUPPORTED 2    /* this backend cannot do it */
#define SWAPMQ_MQ_NOT_FOUND 3
#define SWAPMQ_MQ_CONFLICT 4
#define SWAPMQ_MQ_UNAVAILABLE 5 /* broker unreachable or connection lost */
#define SWAPMQ_MQ_TIMEOUT 6
#define SWAPMQ_MQ_INTERRUPTED 7
#define SWAPMQ_MQ_RESOURCE_EXHAUSTED 8 /* full: a bound, memory, disk, quota */
#define SWAPMQ_MQ_TOO_LARGE 9
#define SWAPMQ_MQ_ACCESS_DENIED 10
#define SWAPMQ_MQ_CORRUPT 11
#define SWAPMQ_MQ_LOST 12 /* a delivery that is no longer ours to settle */
#define SWAPMQ_MQ_INTERNAL 13
#define SWAPMQ_MQ_CONFIG 14 /* the configuration is wrong */
#define SWAPMQ_MQ_PLUGIN 15 /* the plugin cannot be found, loaded or trusted */
#define SWAPMQ_MQ_CLOSED 16

/* "MAJOR.MINOR.PATCH"; static. */
SWAPMQ_C_API const char* swapmq_mq_version(void);
/* "timeout"; static. */
SWAPMQ_C_API const char* swapmq_mq_status_name(int32_t status);

/* ---- the message queue ----------------------------------------------------------------------- */

typedef struct swapmq_mq swapmq_mq;

/* config_path NULL or empty: the embedded default, sqlite in ./swapmq-data. Free with
 * swapmq_mq_free(). Errors: config, plugin, those of opening the backend; the text of a config's
 * errors has a line for each. */
SWAPMQ_C_API int32_t swapmq_mq_open(const char* config_path, swapmq_mq** out, char* error,
                                    size_t error_size);
/* From JSON text; name stands for the file in errors. */
SWAPMQ_C_API int32_t swapmq_mq_open_text(const char* json, size_t json_size, const char* name,
                                         swapmq_mq** out, char* error, size_t error_size);
/* Drains: what was accepted is sent, consumers finish, the backend is closed. Calls that come later
 * fail with closed. timeout: not all was done by then. */
SWAPMQ_C_API int32_t swapmq_mq_close(swapmq_mq* mq, int64_t timeout_ms, char* error,
                                     size_t error_size);
/* Closes with 30 s if it is open. NULL is fine. Consumers, subscriptions and deliveries may be
 * freed before or after. */
SWAPMQ_C_API void swapmq_mq_free(swapmq_mq* mq);

/* A round trip to the broker. */
SWAPMQ_C_API int32_t swapmq_mq_ping(swapmq_mq* mq, int64_t timeout_ms, char* error,
                                    size_t error_size);
/* The name of the plugin that publishes go to, into the caller's buffer as an error's text; how
 * many bytes it has without the NUL. */
SWAPMQ_C_API size_t swapmq_mq_backend_name(swapmq_mq* mq, char* name, size_t name_size);

/* ---- publishing ------------------------------------------------------------------------------ */

typedef struct swapmq_mq_header {
  const char* name;
  size_t name_size; /* 1 to 255 */
  const char* value;
  size_t value_size;
} swapmq_mq_header;

/* Zero is each member's default. */
typedef struct swapmq_mq_message {
  size_t struct_size; /* sizeof(swapmq_mq_message) */
  const void* body;
  size_t body_size;
  const char* id; /* 1 to 255 bytes; NULL: the library makes a UUIDv7 */
  size_t id_size;
  const swapmq_mq_header* headers;
  size_t header_count;
  int64_t delay_ms;  /* not delivered before */
  int64_t ttl_ms;    /* not delivered after; 0: for ever */
  uint32_t priority; /* 0 to 9, higher first */
  uint32_t reserved; /* 0 */
  const char* ordering_key;
  size_t ordering_key_size;
  const char* correlation_id;
  size_t correlation_id_size;
  const char* reply_to;
  size_t reply_to_size;
  const char* content_type;
  size_t content_type_size;
} swapmq_mq_message;

#define SWAPMQ_MQ_CONFIRMED 0 /* the backend has it, as durably as the config asks */
#define SWAPMQ_MQ_FAILED 1    /* it is certainly not stored */
#define SWAPMQ_MQ_IN_DOUBT 2  /* it may be stored: no answer came */

/* How the publish of a message ended. No struct_size: it will not grow. */
typedef struct swapmq_mq_sent {
  int32_t outcome;
  int32_t status;
  int32_t retryable; /* 1: the same call may succeed later */
  char id[256];      /* the message's, NUL-terminated */
} swapmq_mq_sent;

/* Publishes in order and waits for the backend's word on each, retries included. `sent`, if it is
 * not NULL, has room for one each and is filled in in any case. ok: all are confirmed; otherwise
 * status and text of the first one that is not. */
SWAPMQ_C_API int32_t swapmq_mq_publish(swapmq_mq* mq, const char* queue,
                                       const swapmq_mq_message* messages, size_t count,
                                       int64_t timeout_ms, swapmq_mq_sent* sent, char* error,
                                       size_t error_size);

/* ---- deliveries ------------------------------------------------------------------------------ */

/* A message handed to a consumer. Of a handler it lives for the call; one that was received, or
 * kept by swapmq_mq_delivery_keep(), until it is freed. It may outlive consumer and message queue.
 */
typedef struct swapmq_mq_delivery swapmq_mq_delivery;

/* Here and below the delivery must not be NULL. Pointers to any bytes, not NUL-terminated; never
 * NULL; *size, unless size is NULL, says how many. */
SWAPMQ_C_API const char* swapmq_mq_delivery_body(const swapmq_mq_delivery* delivery, size_t* size);
SWAPMQ_C_API const char* swapmq_mq_delivery_id(const swapmq_mq_delivery* delivery, size_t* size);
SWAPMQ_C_API const char* swapmq_mq_delivery_queue(const swapmq_mq_delivery* delivery, size_t* size);
SWAPMQ_C_API const char* swapmq_mq_delivery_ordering_key(const swapmq_mq_delivery* delivery,
                                                         size_t* size);
SWAPMQ_C_API const char* swapmq_mq_delivery_correlation_id(const swapmq_mq_delivery* delivery,
                                                           size_t* size);
SWAPMQ_C_API const char* swapmq_mq_delivery_reply_to(const swapmq_mq_delivery* delivery,
                                                     size_t* size);
SWAPMQ_C_API const char* swapmq_mq_delivery_content_type(const swapmq_mq_delivery* delivery,
                                                         size_t* size);
/* The value of the header of that name; NULL: there is none. */
SWAPMQ_C_API const char* swapmq_mq_delivery_header(const swapmq_mq_delivery* delivery,
                                                   const char* name, size_t* size);
SWAPMQ_C_API size_t swapmq_mq_delivery_header_count(const swapmq_mq_delivery* delivery);
/* 1: filled in; 0: there are not so many. */
SWAPMQ_C_API int32_t swapmq_mq_delivery_header_at(const swapmq_mq_delivery* delivery, size_t index,
                                                  swapmq_mq_header* header);
/* When it was published, in milliseconds since 1970. */
SWAPMQ_C_API int64_t swapmq_mq_delivery_timestamp_ms(const swapmq_mq_delivery* delivery);
SWAPMQ_C_API uint32_t swapmq_mq_delivery_priority(const swapmq_mq_delivery* delivery);
SWAPMQ_C_API uint32_t swapmq_mq_delivery_count(const swapmq_mq_delivery* delivery); /* from 1 */

/* Each settles it and returns at once; the settlement travels with the consumer's next exchange.
 * ok; conflict: it was settled before, nothing changes; lost: it is no longer ours. */
SWAPMQ_C_API int32_t swapmq_mq_ack(const swapmq_mq_delivery* delivery);
/* Counted; delivered again after delay_ms (below 0: the config's retry_delay_seconds), or
 * dead-lettered. reason, of which 1024 bytes are kept, may be NULL, as that of a rejection. */
SWAPMQ_C_API int32_t swapmq_mq_nack(const swapmq_mq_delivery* delivery, int64_t delay_ms,
                                    const char* reason);
SWAPMQ_C_API int32_t swapmq_mq_release(const swapmq_mq_delivery* delivery); /* not counted */
/* Dead-lettered now. */
SWAPMQ_C_API int32_t swapmq_mq_reject(const swapmq_mq_delivery* delivery, const char* reason);
/* Still worked on: its ack_timeout begins anew. */
SWAPMQ_C_API int32_t swapmq_mq_extend(const swapmq_mq_delivery* delivery);
/* The broker's word on the settlement. ok: done; lost: others may get it again; timeout. */
SWAPMQ_C_API int32_t swapmq_mq_wait_settled(const swapmq_mq_delivery* delivery, int64_t timeout_ms,
                                            char* error, size_t error_size);
/* Another handle of it, e.g. to settle after the handler has returned. Free it. */
SWAPMQ_C_API swapmq_mq_delivery* swapmq_mq_delivery_keep(const swapmq_mq_delivery* delivery);
/* With its last handle a delivery that is not settled is released. NULL is fine. */
SWAPMQ_C_API void swapmq_mq_delivery_free(swapmq_mq_delivery* delivery);

/* ---- consuming ------------------------------------------------------------------------------- */

typedef struct swapmq_mq_consume_options {
  size_t struct_size;     /* sizeof(swapmq_mq_consume_options) */
  uint32_t prefetch;      /* the most that is handed out and not settled; 0: 256 */
  uint32_t concurrency;   /* handler threads; 0: 1, which keeps the order of first deliveries */
  int64_t ack_timeout_ms; /* an unsettled delivery is nacked after; 0: 30 minutes; below 0: never */
  const char* group;      /* one that the config gives the queue; NULL or "": the queue itself */
} swapmq_mq_consume_options;

/* What a handler returns. */
#define SWAPMQ_MQ_DECIDE_ACK 0
#define SWAPMQ_MQ_DECIDE_NACK 1 /* with the config's delay; anything that is not listed is this */
#define SWAPMQ_MQ_DECIDE_RELEASE 2
#define SWAPMQ_MQ_DECIDE_REJECT 3
#define SWAPMQ_MQ_DECIDE_NOTHING 4 /* it was settled already, or a kept handle settles it later */

/* Called on a handler thread of the consumer, on as many at once as its concurrency. The delivery
 * is the library's. It must not free the consumer or the message queue, and must not unwind (throw,
 * longjmp) into the library. */
typedef int32_t (*swapmq_mq_handler)(void* context, const swapmq_mq_delivery* delivery);

typedef struct swapmq_mq_consumer swapmq_mq_consumer;

/* Calls the handler for each delivery until the consumer is closed. options may be NULL. The broker
 * need not be reachable. */
SWAPMQ_C_API int32_t swapmq_mq_consume(swapmq_mq* mq, const char* queue,
                                       const swapmq_mq_consume_options* options,
                                       swapmq_mq_handler handler, void* context,
                                       swapmq_mq_consumer** out, char* error, size_t error_size);
/* No new deliveries; handlers in flight finish and are settled. After it the handler is not called
 * any more, unless it returns timeout. Not from a handler. */
SWAPMQ_C_API int32_t swapmq_mq_consumer_close(swapmq_mq_consumer* consumer, int64_t timeout_ms,
                                              char* error, size_t error_size);
/* Takes nothing more until it is resumed: what is buffered goes back to the queue, handlers in
 * flight finish and are settled. Returns at once; from a handler, too. */
SWAPMQ_C_API int32_t swapmq_mq_consumer_pause(swapmq_mq_consumer* consumer, char* error,
                                              size_t error_size);
SWAPMQ_C_API int32_t swapmq_mq_consumer_resume(swapmq_mq_consumer* consumer, char* error,
                                               size_t error_size);
/* Closes with 30 s if it is open. NULL is fine. */
SWAPMQ_C_API void swapmq_mq_consumer_free(swapmq_mq_consumer* consumer);

typedef struct swapmq_mq_subscription swapmq_mq_subscription;

/* To pull deliveries; no callbacks. options may be NULL. */
SWAPMQ_C_API int32_t swapmq_mq_subscribe(swapmq_mq* mq, const char* queue,
                                         const swapmq_mq_consume_options* options,
                                         swapmq_mq_subscription** out, char* error,
                                         size_t error_size);
/* Waits for the first delivery and stores what is there into `deliveries`, max at the most; *count
 * says how many (0: none came in time). Free each. */
SWAPMQ_C_API int32_t swapmq_mq_receive(swapmq_mq_subscription* subscription, size_t max,
                                       int64_t timeout_ms, swapmq_mq_delivery** deliveries,
                                       size_t* count, char* error, size_t error_size);
/* As those of a consumer; receive finds nothing while it is paused. */
SWAPMQ_C_API int32_t swapmq_mq_subscription_pause(swapmq_mq_subscription* subscription, char* error,
                                                  size_t error_size);
SWAPMQ_C_API int32_t swapmq_mq_subscription_resume(swapmq_mq_subscription* subscription,
                                                   char* error, size_t error_size);
SWAPMQ_C_API int32_t swapmq_mq_subscription_close(swapmq_mq_subscription* subscription,
                                                  int64_t timeout_ms, char* error,
                                                  size_t error_size);
SWAPMQ_C_API void swapmq_mq_subscription_free(swapmq_mq_subscription* subscription);

/* ---- looking and managing -------------------------------------------------------------------- */

#define SWAPMQ_MQ_UNKNOWN (-1) /* of a size: the backend does not know it */

typedef struct swapmq_mq_stats {
  size_t struct_size;              /* sizeof(swapmq_mq_stats) */
  int64_t ready, unacked, delayed; /* or SWAPMQ_MQ_UNKNOWN */
  int32_t exists;                  /* 1 or 0 */
  int32_t exact;                   /* 1: each size that is known is exact */
} swapmq_mq_stats;

SWAPMQ_C_API int32_t swapmq_mq_create_queue(swapmq_mq* mq, const char* queue, int64_t timeout_ms,
                                            char* error, size_t error_size);
SWAPMQ_C_API int32_t swapmq_mq_delete_queue(swapmq_mq* mq, const char* queue, int64_t timeout_ms,
                                            char* error, size_t error_size);
SWAPMQ_C_API int32_t swapmq_mq_queue_stats(swapmq_mq* mq, const char* queue, int64_t timeout_ms,
                                           swapmq_mq_stats* stats, char* error, size_t error_size);
/* Removes what is ready and delayed; *removed, if it is not NULL, says how many. */
SWAPMQ_C_API int32_t swapmq_mq_purge_queue(swapmq_mq* mq, const char* queue, int64_t timeout_ms,
                                           uint64_t* removed, char* error, size_t error_size);
/* Calls `each` on this thread, before it returns, once for each name. */
SWAPMQ_C_API int32_t swapmq_mq_list_queues(swapmq_mq* mq, int64_t timeout_ms,
                                           void (*each)(void* context, const char* name,
                                                        size_t name_size),
                                           void* context, char* error, size_t error_size);

/* The groups that the config gives a queue: what is published to it goes to the queue NAME@GROUP of
 * each. Calls `each` as above, not at all if it has none. */
SWAPMQ_C_API int32_t swapmq_mq_list_groups(swapmq_mq* mq, const char* queue,
                                           void (*each)(void* context, const char* name,
                                                        size_t name_size),
                                           void* context, char* error, size_t error_size);

/* Stores up to max messages that are ready into `deliveries`, taking none; *count says how many.
 * Free each; settling them is lost. NOT_SUPPORTED: the backend cannot show without taking. */
SWAPMQ_C_API int32_t swapmq_mq_peek(swapmq_mq* mq, const char* queue, size_t max,
                                    int64_t timeout_ms, swapmq_mq_delivery** deliveries,
                                    size_t* count, char* error, size_t error_size);

/* ---- switching ------------------------------------------------------------------------------- */

/* As swapmq::SwitchPhase. */
#define SWAPMQ_MQ_PHASE_NONE 0
#define SWAPMQ_MQ_PHASE_PREPARE 1
#define SWAPMQ_MQ_PHASE_CUT_OVER 2
#define SWAPMQ_MQ_PHASE_DRAIN 3
#define SWAPMQ_MQ_PHASE_RETIRED 4
#define SWAPMQ_MQ_PHASE_FAILED 5
#define SWAPMQ_MQ_PHASE_CANCELLED 6
#define SWAPMQ_MQ_PHASE_REFUSED 7

/* Reads the config anew and follows it; a switch that this begins goes on after it returns. */
SWAPMQ_C_API int32_t swapmq_mq_reload(swapmq_mq* mq, const char* config_path, char* error,
                                      size_t error_size);
/* Asks for a switch to the backend of that name, by the rules of the config's "switch". */
SWAPMQ_C_API int32_t swapmq_mq_switch_to(swapmq_mq* mq, const char* type, char* error,
                                         size_t error_size);
SWAPMQ_C_API int32_t swapmq_mq_roll_back(swapmq_mq* mq, char* error, size_t error_size);
/* Waits until the last switch has ended or the time is up; *phase says where it is then. The status
 * is that of the switch's own error, if it has one: ok while it goes on. */
SWAPMQ_C_API int32_t swapmq_mq_wait_for_switch(swapmq_mq* mq, int64_t timeout_ms, int32_t* phase,
                                               char* error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif /* SWAPMQ_SWAPMQ_H */

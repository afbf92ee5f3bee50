/* SPDX-License-Identifier: MIT
 *
 * swapmq backend ABI, version 0.2: what a message queue backend is to its host.
 *
 * A backend is a shared object `NAME.so` that exports one symbol, swapmq_backend_entry(). The host
 * finds it by NAME, calls the entry, and from then on speaks to it through the table of functions
 * (vtable) that the entry returned. This header is all that a backend author needs; it is C99 and
 * includes nothing but <stdint.h> and <stddef.h>. C++ authors may prefer <swapmq/backend.hpp>.
 *
 * The words
 *   plugin        the shared object
 *   backend       one opened plugin with its options (one broker, one file)
 *   session       one line of communication with the broker, used by one thread at a time
 *   queue         a named line of messages
 *   delivery      a message handed to a consumer, with a receipt and a delivery count
 *   ack           done: the message is gone
 *   nack          failed: counted, delivered again, after an optional delay
 *   release       handed back, not the message's fault: delivered again, not counted
 *   dead-letter   moved to another queue, with headers that say why
 *   ready, unacked, delayed    the three sizes of a queue, never added up
 *
 * Who decides: the host owns policy (when to give up, how long to wait, which dead-letter queue);
 * the plugin owns mechanism (it is told the action, the time, the target, the headers to add).
 *
 * Rules for every function
 *   Threads     [any-thread]     may be called from any thread, concurrently with any other call.
 *               [session-thread] calls for one session never overlap; the thread may change between
 *                                two calls. Calls for different sessions do overlap.
 *   Blocking    A function that takes a deadline may block until then; any other returns at once.
 *               Deadlines are absolute nanoseconds of CLOCK_MONOTONIC; one in the past means
 *               "do what can be done without waiting". No call waits for ever.
 *   Wall clock  Fields that end in _ms and say "unix" are milliseconds since 1970-01-01 UTC.
 *   Errors      Functions return a swapmq_status. On failure they fill *error (never NULL when the
 *               host calls) and touch no other output, except per-element results, which the host
 *               presets to UNTOUCHED and which a call that did part of its work fills in.
 *   Memory      Never crosses owners. What the host passes is borrowed until the call returns,
 *               unless the function says otherwise. What a plugin hands out stays its own and
 *               carries its own way to be released.
 *   Growth      Every struct passed alone begins with struct_size, set by whoever made it to the
 *               size it was compiled with; fields are only ever appended. A reader that is newer
 *               than the writer treats absent fields as zero (SWAPMQ_HAS_FIELD). Arrays travel with
 *               the size of their element, to be used as the stride. Reserved fields are zero.
 *   Exceptions  None may leave a function. No long jumps.
 *   A plugin's own code never writes to stdout or stderr, never reads the environment, never
 *   installs a signal handler, never changes process-wide state (locale, signal mask of foreign
 *   threads, umask, working directory), never raises SIGPIPE, and starts no thread that outlives
 *   the close() of its backend.
 *   Views (swapmq_bytes) hold any byte, NUL included; they are not NUL-terminated. size == 0 is an
 *   empty view, whatever data is.
 */
#ifndef SWAPMQ_BACKEND_H
#define SWAPMQ_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * Version
 * --------------------------------------------------------------------------------------------- */

/* A change of major breaks; a minor only appends. While major is 0 the ABI is not frozen: the host
 * also says the oldest minor that it still understands. */
#define SWAPMQ_ABI_MAJOR 0u
#define SWAPMQ_ABI_MINOR 2u
#define SWAPMQ_ABI_OLDEST_MINOR 0u /* 0.0 ends after `interrupt` in the vtable */
#define SWAPMQ_ABI_MAKE(major, minor) (((uint32_t)(major) << 16) | (uint32_t)(minor))
#define SWAPMQ_ABI_VERSION SWAPMQ_ABI_MAKE(SWAPMQ_ABI_MAJOR, SWAPMQ_ABI_MINOR)
#define SWAPMQ_ABI_MAJOR_OF(version) ((uint32_t)(version) >> 16)
#define SWAPMQ_ABI_MINOR_OF(version) ((uint32_t)(version)&0xffffu)

/* Whether the struct at `pointer`, whose writer set struct_size, has `field`. */
#define SWAPMQ_HAS_FIELD(type, pointer, field) \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

#if defined(__GNUC__)
#define SWAPMQ_BACKEND_EXPORT __attribute__((visibility("default")))
#else
#define SWAPMQ_BACKEND_EXPORT
#endif

/* ------------------------------------------------------------------------------------------------
 * Status and errors
 * --------------------------------------------------------------------------------------------- */

typedef int32_t swapmq_status;

#define SWAPMQ_STATUS_UNTOUCHED \
  ((swapmq_status)-1) /* what the host presets per-element results to */
#define SWAPMQ_STATUS_PENDING \
  ((swapmq_status)-2) /* only of a settlement: told to the broker, see exchange() */
#define SWAPMQ_OK ((swapmq_status)0)
#define SWAPMQ_INVALID_ARGUMENT ((swapmq_status)1) /* the call is wrong; repeating it is, too */
#define SWAPMQ_NOT_SUPPORTED ((swapmq_status)2)    /* a declared-absent capability was asked for */
#define SWAPMQ_NOT_FOUND ((swapmq_status)3)        /* what the call is about does not exist */
#define SWAPMQ_CONFLICT ((swapmq_status)4)         /* it exists with other properties */
#define SWAPMQ_UNAVAILABLE ((swapmq_status)5)      /* broker unreachable, connection lost */
#define SWAPMQ_TIMEOUT ((swapmq_status)6)          /* the deadline passed first */
#define SWAPMQ_INTERRUPTED ((swapmq_status)7)      /* interrupt() ended the wait; not an error */
#define SWAPMQ_RESOURCE_EXHAUSTED ((swapmq_status)8) /* full: length limit, memory, disk, quota */
#define SWAPMQ_TOO_LARGE ((swapmq_status)9)          /* beyond a declared limit */
#define SWAPMQ_ACCESS_DENIED ((swapmq_status)10)     /* credentials or permissions */
#define SWAPMQ_CORRUPT ((swapmq_status)11)           /* stored data is damaged; nothing is served */
#define SWAPMQ_LOST ((swapmq_status)12)              /* settlement: no longer ours to settle */
#define SWAPMQ_INTERNAL ((swapmq_status)13)          /* a defect in the plugin */
#define SWAPMQ_STATUS_COUNT 14                       /* hosts treat any other value as INTERNAL */

/* Flags of an error and of a publish result. */
#define SWAPMQ_ERROR_RETRYABLE 0x1u    /* the same call may succeed later */
#define SWAPMQ_ERROR_SESSION_DEAD 0x2u /* this session is beyond repair: close it, open another */

/* Filled by the callee, owned by the caller. The message is UTF-8, one line, without secrets. */
typedef struct swapmq_error {
  uint32_t struct_size;
  swapmq_status status;      /* same as the returned status */
  uint32_t flags;            /* SWAPMQ_ERROR_* */
  uint32_t retry_after_ms;   /* hint; 0: none */
  uint32_t message_capacity; /* set by the caller: bytes at `message`, terminator included */
  uint32_t message_length;   /* set by the callee: bytes written, terminator not counted */
  char* message;             /* caller's memory; the callee truncates and terminates */
} swapmq_error;

/* ------------------------------------------------------------------------------------------------
 * Messages
 * --------------------------------------------------------------------------------------------- */

typedef struct swapmq_bytes {
  const void* data;
  uint64_t size;
} swapmq_bytes;

typedef struct swapmq_header {
  swapmq_bytes name; /* 1 to 255 bytes */
  swapmq_bytes value;
} swapmq_header;

/* What is published and what is delivered. All of it comes back as it was given. */
typedef struct swapmq_message {
  swapmq_bytes id; /* 1 to 255 bytes, made by the host; a retry carries the same one */
  swapmq_bytes body;
  const swapmq_header* headers; /* NULL if header_count is 0 */
  uint32_t header_count;
  uint32_t header_size;       /* sizeof(swapmq_header) where the array was made */
  int64_t timestamp_ms;       /* unix, when this publish was called */
  int64_t first_published_ms; /* unix; kept by a move between backends; 0: same as timestamp_ms */
  int64_t due_at_ms;          /* unix; not delivered before; 0: now */
  int64_t expires_at_ms;      /* unix; not delivered after; 0: never */
  uint32_t priority;          /* 0 (default, lowest) to 9 */
  uint32_t delivery_count;    /* published: counted deliveries it already had elsewhere (a move) */
  swapmq_bytes ordering_key;
  swapmq_bytes correlation_id;
  swapmq_bytes reply_to;
  swapmq_bytes content_type;
} swapmq_message;

/* ------------------------------------------------------------------------------------------------
 * What a plugin says of itself
 * --------------------------------------------------------------------------------------------- */

/* Grades of a capability. */
#define SWAPMQ_ABSENT 0
#define SWAPMQ_EMULATED 1
#define SWAPMQ_NATIVE 2

/* durability: the worst that a confirmed message survives. */
#define SWAPMQ_DURABILITY_NONE 0       /* forgotten when the last backend of the process closes */
#define SWAPMQ_DURABILITY_PROCESS 1    /* survives kill -9 of host and broker */
#define SWAPMQ_DURABILITY_POWER 2      /* survives power loss of the machine that stores it */
#define SWAPMQ_DURABILITY_REPLICATED 3 /* survives the loss of a machine */

/* ordering: where first deliveries come in publish order. */
#define SWAPMQ_ORDERING_NONE 0
#define SWAPMQ_ORDERING_QUEUE 1 /* one queue, one publisher at a time, one consumer */
#define SWAPMQ_ORDERING_KEY 2   /* also per ordering_key with several consumers */

/* sharing: who sees the same queues when opening with the same options. */
#define SWAPMQ_SHARING_PROCESS 0 /* backends of one process */
#define SWAPMQ_SHARING_MACHINE 1 /* processes of one machine */
#define SWAPMQ_SHARING_NETWORK 2

/* An honest declaration: the contract kit checks it. Zero is the least, so that what an older
 * plugin does not know counts as absent. */
typedef struct swapmq_capabilities {
  uint32_t struct_size;
  int32_t durability;      /* SWAPMQ_DURABILITY_* */
  int32_t ordering;        /* SWAPMQ_ORDERING_* */
  int32_t sharing;         /* SWAPMQ_SHARING_* */
  int32_t delayed_publish; /* message.due_at_ms; this and the following: a grade */
  int32_t delayed_nack;    /* settlement.due_at_ms, as durable as the message */
  int32_t ttl;             /* message.expires_at_ms */
  int32_t priority;        /* message.priority: higher first among what is ready */
  int32_t release;         /* handed back without being counted */
  int32_t dead_letter;     /* moved in one step; absent: the host publishes, then acks */
  int32_t deduplication;   /* a second publish of an id within a window is confirmed, not stored;
                              but of a move (first_published_ms is not 0) it is stored: the message
                              comes back to where it was before */
  int32_t purge;
  int32_t counts_crashes; /* a return by a dead consumer raises the delivery count */
  int32_t max_length;     /* queue_spec.max_length refuses what is beyond it; emulated: what is
                             ready alone counts, and several publishers may go beyond it */
} swapmq_capabilities;

/* Limits. 0: no limit of the plugin's own. */
typedef struct swapmq_limits {
  uint32_t struct_size;
  uint32_t max_queue_name_bytes;
  uint64_t max_body_bytes;
  uint64_t max_headers_bytes; /* names and values together */
  uint32_t max_header_count;
  uint32_t max_publish_batch; /* messages in one publish() */
  uint32_t max_receive_batch; /* messages from one exchange() */
  uint32_t max_priority;
  int64_t max_delay_ms;
  const char* queue_name_alphabet; /* every allowed byte, NUL-terminated; NULL: any byte but NUL */
} swapmq_limits;

#define SWAPMQ_PLUGIN_UNLOADABLE \
  0x1u /* leaves no thread, TLS destructor, atexit hook, descriptor */

/* Static data of the plugin, valid while it is mapped. Strings are NUL-terminated UTF-8. In the
 * options' schema "x-swapmq-address": true marks what says where the backend is: two configs that
 * agree in the marked options mean the same backend, and going from one to the other is no switch.
 * Without a mark it is all options but secret ones. "x-swapmq-path": true marks a path, which the
 * host makes relative to the config's folder; "x-swapmq-unit", "x-swapmq-since" (a version) and
 * "x-swapmq-example" are shown to people. What comes to open() is already as the schema wants it:
 * variables and files are in their places. */
typedef struct swapmq_plugin_info {
  uint32_t struct_size;
  uint32_t flags;                          /* SWAPMQ_PLUGIN_* */
  const char* name;                        /* the name it is loaded by: [a-z0-9_]{1,64} */
  const char* version;                     /* of the plugin, e.g. "1.4.2" */
  const char* license;                     /* SPDX expression */
  const char* description;                 /* one line */
  const char* options_schema;              /* JSON Schema (draft 4) of the options object */
  const swapmq_capabilities* capabilities; /* with default options */
  const swapmq_limits* limits;             /* with default options */
} swapmq_plugin_info;

/* ------------------------------------------------------------------------------------------------
 * What the host lends
 * --------------------------------------------------------------------------------------------- */

#define SWAPMQ_LOG_TRACE 0
#define SWAPMQ_LOG_DEBUG 1
#define SWAPMQ_LOG_INFO 2
#define SWAPMQ_LOG_WARN 3
#define SWAPMQ_LOG_ERROR 4

/* Valid from open() until close() returns. Every function is [any-thread] and does not block. */
typedef struct swapmq_host {
  uint32_t struct_size;
  uint32_t abi_version;
  void* context; /* first argument of each function */
  /* Whether a line of this level would be kept. */
  int32_t (*log_enabled)(void* context, int32_t level);
  /* One line of UTF-8, no terminator, no secrets. */
  void (*log)(void* context, int32_t level, swapmq_bytes line);
  /* Adds to a counter. The name is a lower-case identifier such as "reconnects". */
  void (*count)(void* context, const char* name, uint64_t amount);
} swapmq_host;

/* ------------------------------------------------------------------------------------------------
 * Objects of the plugin; the host sees pointers only
 * --------------------------------------------------------------------------------------------- */

typedef struct swapmq_backend swapmq_backend;
typedef struct swapmq_session swapmq_session;
typedef struct swapmq_queue swapmq_queue;               /* a queue's handle within one session */
typedef struct swapmq_subscription swapmq_subscription; /* a consumer on a queue, in one session */

typedef struct swapmq_open_args {
  uint32_t struct_size;
  uint32_t reserved;
  const swapmq_host* host;
  swapmq_bytes options_json; /* object; checked against options_schema; secrets resolved */
  swapmq_bytes instance;     /* identity of this host: letters, digits, '-', '.', '_' */
  int64_t deadline_ns;
} swapmq_open_args;

/* Roles of a session. A session is only asked for what its role needs; any role may ping, open and
 * create queues, and ask for stats. */
#define SWAPMQ_ROLE_PUBLISH 1
#define SWAPMQ_ROLE_CONSUME 2
#define SWAPMQ_ROLE_ADMIN 3

#define SWAPMQ_QUEUE_STRICT_ORDER 0x1u /* first deliveries in order with several consumers, too */

/* How a queue is made where it does not exist yet. */
typedef struct swapmq_queue_spec {
  uint32_t struct_size;
  uint32_t flags;      /* SWAPMQ_QUEUE_* */
  uint64_t max_length; /* messages; beyond it publish gives RESOURCE_EXHAUSTED; 0: no limit */
} swapmq_queue_spec;

/* Whether a figure can be trusted. */
#define SWAPMQ_STAT_UNKNOWN 0
#define SWAPMQ_STAT_APPROXIMATE 1
#define SWAPMQ_STAT_EXACT 2

typedef struct swapmq_queue_stats {
  uint32_t struct_size;
  int32_t ready_precision; /* SWAPMQ_STAT_* */
  int32_t unacked_precision;
  int32_t delayed_precision;
  uint64_t ready;   /* could be delivered now */
  uint64_t unacked; /* delivered, not settled */
  uint64_t delayed; /* waiting for their time, published or nacked with a delay */
  int32_t atomic;   /* 1: the three were read at one instant */
  int32_t exists;   /* 1: the queue exists; 0: it does not, the sizes are 0 */
} swapmq_queue_stats;

/* ------------------------------------------------------------------------------------------------
 * Publishing
 * --------------------------------------------------------------------------------------------- */

#define SWAPMQ_PUBLISH_UNTOUCHED 0 /* preset by the host; failed, where the call failed */
#define SWAPMQ_PUBLISH_CONFIRMED 1 /* stored, as durably as the options ask */
#define SWAPMQ_PUBLISH_FAILED 2    /* certainly not stored */
#define SWAPMQ_PUBLISH_IN_DOUBT 3  /* may be stored: sent, and no answer came */

typedef struct swapmq_publish_result {
  int32_t outcome;      /* SWAPMQ_PUBLISH_* */
  swapmq_status status; /* why, unless confirmed */
  uint32_t flags;       /* SWAPMQ_ERROR_RETRYABLE */
  uint32_t reserved;
} swapmq_publish_result;

typedef struct swapmq_publish_args {
  uint32_t struct_size;
  uint32_t message_size; /* stride of messages */
  uint32_t result_size;  /* stride of results */
  uint32_t reserved;
  const swapmq_message* messages;
  uint64_t count; /* 1 or more, at most limits.max_publish_batch */
  swapmq_publish_result* results;
  int64_t deadline_ns;
} swapmq_publish_args;

/* ------------------------------------------------------------------------------------------------
 * Consuming
 * --------------------------------------------------------------------------------------------- */

#define SWAPMQ_RECEIPT_BYTES 48

/* Names a delivery to the plugin that made it; opaque to everybody else. */
typedef struct swapmq_receipt {
  uint32_t size; /* 1 to SWAPMQ_RECEIPT_BYTES */
  uint8_t bytes[SWAPMQ_RECEIPT_BYTES];
} swapmq_receipt;

#define SWAPMQ_DELIVERY_REDELIVERED 0x1u    /* handed out before, by whomever, settled or not */
#define SWAPMQ_DELIVERY_COUNT_AT_LEAST 0x2u /* delivery_count is a lower bound */
/* What is stored is no message, as a foreign program may write it: the message holds what could be
 * read, and a header SWAPMQ_UNDECODABLE_HEADER that says why. The host dead-letters it. */
#define SWAPMQ_DELIVERY_UNDECODABLE 0x4u
#define SWAPMQ_UNDECODABLE_HEADER "swapmq-undecodable"

typedef struct swapmq_delivery {
  const swapmq_message* message; /* in the batch; message_size says how much of it there is */
  swapmq_receipt receipt;
  uint32_t delivery_count; /* 1 for the first; plus one for each counted return */
  uint32_t flags;          /* SWAPMQ_DELIVERY_* */
} swapmq_delivery;

/* Deliveries, owned by the plugin. Everything they point at lives until release(). */
typedef struct swapmq_batch {
  uint32_t struct_size;
  uint32_t delivery_size; /* stride of deliveries */
  uint32_t message_size;  /* sizeof(swapmq_message) where they were made */
  uint32_t reserved;
  const swapmq_delivery* deliveries;
  uint64_t count; /* 1 or more */
  /* [any-thread] Frees the batch, once. Also after unsubscribe, session_close and close. */
  void (*release)(struct swapmq_batch* batch);
} swapmq_batch;

#define SWAPMQ_SETTLE_ACK 1
#define SWAPMQ_SETTLE_NACK 2        /* counted; not delivered again before due_at_ms */
#define SWAPMQ_SETTLE_RELEASE 3     /* not counted; delivered again as soon as can be */
#define SWAPMQ_SETTLE_DEAD_LETTER 4 /* to `target`, id and body kept, `headers` added */

typedef struct swapmq_settlement {
  const swapmq_delivery* delivery; /* from a batch of this subscription that is not yet released */
  int32_t action;                  /* SWAPMQ_SETTLE_* */
  uint32_t header_count;
  int64_t due_at_ms;            /* NACK: unix; 0: now */
  swapmq_queue* target;         /* DEAD_LETTER: a queue of this session */
  const swapmq_header* headers; /* DEAD_LETTER: added; one of the same name is replaced */
  uint32_t header_size;
  uint32_t reserved;
} swapmq_settlement;

typedef struct swapmq_subscribe_args {
  uint32_t struct_size;
  uint32_t prefetch; /* 1 or more: the most that this subscription ever holds unsettled */
  int64_t lease_ms;  /* how long after the last sign of life of this session others may take
                        over what it holds; 0: the plugin's default */
  int64_t deadline_ns;
} swapmq_subscribe_args;

/* Flags of an exchange. */
#define SWAPMQ_EXCHANGE_MAY_PEND 0x1u /* the host understands SWAPMQ_STATUS_PENDING */

typedef struct swapmq_exchange_args {
  uint32_t struct_size;
  uint32_t settlement_size; /* stride of settlements */
  const swapmq_settlement* settlements;
  uint64_t settlement_count;
  swapmq_status* settlement_results; /* as many, preset to UNTOUCHED */
  uint64_t max_messages;             /* the credit: at most prefetch minus what is unsettled */
  uint64_t max_bytes;                /* stop adding bodies beyond this; 0: no limit; the first
                                        message always fits */
  int64_t deadline_ns;
  uint32_t flags; /* SWAPMQ_EXCHANGE_*; since 0.2 */
  uint32_t reserved;
} swapmq_exchange_args;

/* ------------------------------------------------------------------------------------------------
 * The vtable
 * --------------------------------------------------------------------------------------------- */

typedef struct swapmq_backend_vtable {
  uint32_t struct_size;
  uint32_t abi_version; /* SWAPMQ_ABI_VERSION of the header it was built with */
  const swapmq_plugin_info* info;

  /* [any-thread] Opens a backend; need not reach the broker yet. `host` in the arguments stays
   * valid until close(). Errors: INVALID_ARGUMENT (options beyond what the schema can say),
   * UNAVAILABLE, ACCESS_DENIED, CORRUPT, TIMEOUT. */
  swapmq_status (*open)(const swapmq_open_args* args, swapmq_backend** backend,
                        swapmq_error* error);

  /* [any-thread, once] All sessions are closed before. Batches may outlive it. */
  void (*close)(swapmq_backend* backend);

  /* [any-thread] Connects. Errors: UNAVAILABLE, ACCESS_DENIED, TIMEOUT, INVALID_ARGUMENT. */
  swapmq_status (*session_open)(swapmq_backend* backend, int32_t role, int64_t deadline_ns,
                                swapmq_session** session, swapmq_error* error);

  /* [session-thread, once] Gives back what the session's subscriptions hold, as released, frees its
   * queues and subscriptions. Does not wait for a broker that does not answer. */
  void (*session_close)(swapmq_session* session);

  /* [session-thread] A round trip to the broker. A session outlives its connection: after
   * UNAVAILABLE the next call connects again (with the plugin's own backoff and jitter, within the
   * call's deadline), topology included. */
  swapmq_status (*ping)(swapmq_session* session, int64_t deadline_ns, swapmq_error* error);

  /* [session-thread] A handle for the name (and nothing at the broker yet); it lives until
   * session_close. `spec` NULL: as all zero. Opening the same name twice is fine. Errors:
   * INVALID_ARGUMENT (name or spec not possible here: empty, too long, outside the alphabet). */
  swapmq_status (*queue_open)(swapmq_session* session, swapmq_bytes name,
                              const swapmq_queue_spec* spec, swapmq_queue** queue,
                              swapmq_error* error);

  /* [session-thread] Makes the queue where it does not exist; publish and subscribe do so by
   * themselves. CONFLICT if it exists with a spec that cannot be reconciled. */
  swapmq_status (*create_queue)(swapmq_session* session, swapmq_queue* queue, int64_t deadline_ns,
                                swapmq_error* error);

  /* [session-thread] Deletes the queue with all that it holds; OK where there is none. What is
   * unsettled settles as LOST afterwards. The handle stays usable. */
  swapmq_status (*delete_queue)(swapmq_session* session, swapmq_queue* queue, int64_t deadline_ns,
                                swapmq_error* error);

  /* [session-thread] `stats` comes with struct_size set and the rest zero. */
  swapmq_status (*queue_stats)(swapmq_session* session, swapmq_queue* queue,
                               swapmq_queue_stats* stats, int64_t deadline_ns, swapmq_error* error);

  /* [session-thread] Removes what is ready or delayed and leaves what is unacked. */
  swapmq_status (*purge_queue)(swapmq_session* session, swapmq_queue* queue, uint64_t* removed,
                               int64_t deadline_ns, swapmq_error* error);

  /* [session-thread, role publish; of another role: works, or INVALID_ARGUMENT or NOT_SUPPORTED]
   * Publishes in order and gives each message its result. Returns OK
   * when every result is filled in, whatever the results are. On any other status the results that
   * were filled in stand and the rest count as failed: nothing of them was sent. Once a message was
   * handed to the transport and its answer did not come, it is IN_DOUBT, never FAILED. */
  swapmq_status (*publish)(swapmq_session* session, swapmq_queue* queue,
                           const swapmq_publish_args* args, swapmq_error* error);

  /* [session-thread, role consume] Becomes a consumer of the queue, which is made if missing. */
  swapmq_status (*subscribe)(swapmq_session* session, swapmq_queue* queue,
                             const swapmq_subscribe_args* args, swapmq_subscription** subscription,
                             swapmq_error* error);

  /* [session-thread, role consume] Settles settlement_count deliveries, then receives up to
   * max_messages: returns as soon as there is one, at the deadline, or when interrupted. Either
   * part may be empty; with max_messages 0 it settles and returns.
   *   OK           *batch holds deliveries, or stays NULL: none came until the deadline.
   *   INTERRUPTED  as OK without deliveries, since interrupt() ended the wait.
   *   otherwise    nothing was received; settlement results that were filled in are final, the
   *                others were not tried and may be given again.
   * settlement_results on return: OK; LOST (lost with its connection or lease, claimed by another,
   * deleted, settled before); for a settlement that could not be done another status, and then the
   * delivery is still unsettled. An ack whose answer was lost with the connection is LOST.
   * PENDING, only with the flag MAY_PEND and a batch of deliveries: the broker was told, and has
   * not said yet that it is done, which the deliveries need not wait for. The host gives the same
   * settlement again with its next exchange, until it has a result; it takes no credit meanwhile.
   */
  swapmq_status (*exchange)(swapmq_session* session, swapmq_subscription* subscription,
                            const swapmq_exchange_args* args, swapmq_batch** batch,
                            swapmq_error* error);

  /* [session-thread, role consume, once] Ends the subscription. What it holds unsettled, read ahead
   * or handed out, goes back to the queue as released. */
  void (*unsubscribe)(swapmq_session* session, swapmq_subscription* subscription);

  /* [session-thread] Called at least once a second on a session that is not otherwise used: serve
   * heartbeats, renew the leases of what is unsettled. */
  swapmq_status (*service)(swapmq_session* session, int64_t deadline_ns, swapmq_error* error);

  /* [any-thread, until session_close begins] Makes an exchange() of this session that waits, or
   * else the next one that has max_messages > 0, return without (further) waiting. Several
   * interrupts before that count as one. A read outstanding at the broker is resumed by the next
   * exchange, never doubled, and what it brought late is kept. */
  void (*interrupt)(swapmq_session* session);

  /* ----- since 0.1; a plugin may leave these NULL ----- */

  /* [any-thread] Capabilities and limits of this backend, where options change them. Both structs
   * come with struct_size set and hold the plugin's static values. Stub: leaves them. */
  void (*describe)(swapmq_backend* backend, swapmq_capabilities* capabilities,
                   swapmq_limits* limits);

  /* [any-thread] A table of further functions, or NULL if there is no such power here. The names
   * are "swapmq.NAME/VERSION"; anyone's own begin otherwise. Stub: NULL. */
  const void* (*extension)(const char* name);
} swapmq_backend_vtable;

/* [any-thread] The one exported symbol of a plugin. Its first act is to look at host_abi, the
 * newest version that the host speaks: a plugin that cannot serve it returns NULL and says why in
 * *error. The table is static data of the plugin. */
SWAPMQ_BACKEND_EXPORT const swapmq_backend_vtable* swapmq_backend_entry(uint32_t host_abi,
                                                                        swapmq_error* error);
#define SWAPMQ_BACKEND_ENTRY_NAME "swapmq_backend_entry"
typedef const swapmq_backend_vtable* (*swapmq_backend_entry_fn)(uint32_t host_abi,
                                                                swapmq_error* error);

/* ------------------------------------------------------------------------------------------------
 * Extensions
 * --------------------------------------------------------------------------------------------- */

#define SWAPMQ_EXTENSION_LIST_QUEUES "swapmq.list_queues/1"

typedef struct swapmq_list_queues {
  uint32_t struct_size;
  uint32_t reserved;
  /* [session-thread, role admin] Calls `each` once for every queue, in byte order of the names, on
   * the calling thread; the name is valid during that call. NOT_SUPPORTED: these options do not
   * let it. */
  swapmq_status (*list)(swapmq_session* session, void (*each)(void* context, swapmq_bytes name),
                        void* context, int64_t deadline_ns, swapmq_error* error);
} swapmq_list_queues;

#define SWAPMQ_EXTENSION_CLAIM_DELAYED "swapmq.claim_delayed/1"

typedef struct swapmq_claim_delayed {
  uint32_t struct_size;
  uint32_t reserved;
  /* [session-thread, role consume] Takes up to max_messages of the queue that wait for their time,
   * earliest due first (about so, where delays are emulated), as deliveries of this subscription:
   * leased, credited and settled like those of exchange(). message.due_at_ms says when each is due,
   * delivery_count is what its next delivery would have; claiming is not counted. Bodies go up to
   * max_bytes (0: no limit; the first message always fits). Does not wait for messages to come:
   * *batch stays NULL if none waits. Nobody else gets what is claimed. What is given back (RELEASE,
   * unsubscribe, the end of the session or of the process) waits on until its time, uncounted, and
   * is never delivered before; what has become due meanwhile is delivered at once. NACK,
   * DEAD_LETTER and ACK are as ever. NOT_SUPPORTED: these options do not let it. */
  swapmq_status (*claim)(swapmq_session* session, swapmq_subscription* subscription,
                         uint64_t max_messages, uint64_t max_bytes, int64_t deadline_ns,
                         swapmq_batch** batch, swapmq_error* error);
} swapmq_claim_delayed;

#define SWAPMQ_EXTENSION_PEEK "swapmq.peek/1"

typedef struct swapmq_peek {
  uint32_t struct_size;
  uint32_t reserved;
  /* [session-thread, role admin] Shows up to max_messages of those that are ready, in the order in
   * which they would be delivered now, and takes none: consumers get them as if nobody had looked,
   * and nothing is counted or flagged for it. delivery_count and flags are those that the next
   * delivery would have; the receipts settle nothing. What has expired is not shown. Bodies go up
   * to max_bytes (0: no limit; the first message always fits). Does not wait for messages to come:
   * *batch stays NULL if none is ready, or there is no such queue, which is not made.
   * NOT_SUPPORTED: these options do not let it. */
  swapmq_status (*peek)(swapmq_session* session, swapmq_queue* queue, uint64_t max_messages,
                        uint64_t max_bytes, int64_t deadline_ns, swapmq_batch** batch,
                        swapmq_error* error);
} swapmq_peek;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SWAPMQ_BACKEND_H */

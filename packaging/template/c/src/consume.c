/* Subscriptions: settling and receiving. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parts.h"
#include "session.h"

#define MOST_AT_ONCE 256

int64_t unix_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

swapmq_status session_subscribe(swapmq_session* session, swapmq_queue* queue,
                                const swapmq_subscribe_args* args,
                                swapmq_subscription** subscription, swapmq_error* error) {
  if (session == NULL || queue == NULL || args == NULL || subscription == NULL) {
    return wrong(error, "subscribe: an argument is NULL");
  }
  if (!SWAPMQ_HAS_FIELD(swapmq_subscribe_args, args, deadline_ns) || args->prefetch == 0 ||
      args->lease_ms < 0) {
    return wrong(error, "subscribe: the arguments are wrong");
  }
  swapmq_subscription* made = calloc(1, sizeof *made);
  if (made == NULL) return fail(error, SWAPMQ_RESOURCE_EXHAUSTED, "there is no memory");
  queue_create(session->store, queue->of);
  made->of = queue->of;
  made->prefetch = args->prefetch;
  made->next = session->subscriptions;
  session->subscriptions = made;
  *subscription = made;
  return SWAPMQ_OK;
}

void session_unsubscribe(swapmq_session* session, swapmq_subscription* subscription) {
  if (session == NULL || subscription == NULL) return;
  queue_give_back(session->store, subscription->of, subscription);
  swapmq_subscription** at = &session->subscriptions;
  while (*at != NULL && *at != subscription) at = &(*at)->next;
  if (*at != NULL) *at = subscription->next;
  free(subscription);
}

/* ---- settling -------------------------------------------------------------------------------- */

static const swapmq_settlement* settlement_at(const swapmq_exchange_args* args, uint64_t i) {
  return (const swapmq_settlement*)((const char*)args->settlements + i * args->settlement_size);
}

static int settlements_are_right(const swapmq_exchange_args* args) {
  if (args->settlement_count == 0) return 1;
  if (args->settlements == NULL || args->settlement_results == NULL ||
      args->settlement_size < sizeof(swapmq_settlement)) {
    return 0;
  }
  for (uint64_t i = 0; i < args->settlement_count; ++i) {
    const swapmq_settlement* one = settlement_at(args, i);
    if (one->delivery == NULL || one->action < SWAPMQ_SETTLE_ACK ||
        one->action > SWAPMQ_SETTLE_DEAD_LETTER ||
        !headers_are_right(one->headers, one->header_count, one->header_size) ||
        (one->action == SWAPMQ_SETTLE_DEAD_LETTER && one->target == NULL)) {
      return 0;
    }
  }
  return 1;
}

static swapmq_status settle(swapmq_session* session, swapmq_subscription* subscription,
                            const swapmq_settlement* one) {
  receipt names;
  if (one->action == SWAPMQ_SETTLE_NACK && one->due_at_ms > unix_now_ms()) {
    return SWAPMQ_NOT_SUPPORTED; /* a delay is declared absent */
  }
  if (one->delivery->receipt.size != sizeof names) return SWAPMQ_LOST;
  memcpy(&names, one->delivery->receipt.bytes, sizeof names);
  return queue_settle(session->store, subscription->of, subscription, names, one->action);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* What is handed out, in one piece that lives until the host releases it. */
typedef struct handed_out {
  swapmq_batch head;
  uint64_t count;
  message* shown[MOST_AT_ONCE];
  swapmq_delivery deliveries[MOST_AT_ONCE];
} handed_out;

static void batch_release(swapmq_batch* which) {
  handed_out* of = (handed_out*)which;
  for (uint64_t i = 0; i < of->count; ++i) message_drop(of->shown[i]);
  free(of);
}

static void batch_fill(handed_out* to, const taken* from, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    swapmq_delivery* delivery = &to->deliveries[i];
    memset(delivery, 0, sizeof *delivery);
    delivery->message = message_view(from[i].shown);
    delivery->receipt.size = sizeof from[i].names;
    memcpy(delivery->receipt.bytes, &from[i].names, sizeof from[i].names);
    delivery->delivery_count = from[i].delivery_count;
    delivery->flags = from[i].before ? SWAPMQ_DELIVERY_REDELIVERED : 0;
    to->shown[i] = from[i].shown;
  }
  to->count = count;
  to->head.struct_size = sizeof to->head;
  to->head.delivery_size = sizeof(swapmq_delivery);
  to->head.message_size = sizeof(swapmq_message);
  to->head.reserved = 0;
  to->head.deliveries = to->deliveries;
  to->head.count = count;
  to->head.release = batch_release;
}

static swapmq_status receive(swapmq_session* session, swapmq_subscription* subscription,
                             const swapmq_exchange_args* args, swapmq_batch** out,
                             swapmq_error* error) {
  taken got[MOST_AT_ONCE];
  handed_out* made = malloc(sizeof *made); /* before anything is taken */
  if (made == NULL) return fail(error, SWAPMQ_RESOURCE_EXHAUSTED, "there is no memory");
  const size_t most = args->max_messages < MOST_AT_ONCE ? (size_t)args->max_messages : MOST_AT_ONCE;
  int interrupted = 0;
  const size_t count =
      queue_take(session->store, subscription->of, subscription, &session->waiter, got, most,
                 subscription->prefetch, args->max_bytes, args->deadline_ns, &interrupted);
  if (count == 0) {
    free(made);
    return interrupted ? SWAPMQ_INTERRUPTED : SWAPMQ_OK;
  }
  batch_fill(made, got, count);
  *out = &made->head;
  return SWAPMQ_OK;
}

swapmq_status session_exchange(swapmq_session* session, swapmq_subscription* subscription,
                               const swapmq_exchange_args* args, swapmq_batch** batch,
                               swapmq_error* error) {
  if (session == NULL || subscription == NULL || args == NULL || batch == NULL) {
    return wrong(error, "exchange: an argument is NULL");
  }
  if (!SWAPMQ_HAS_FIELD(swapmq_exchange_args, args, deadline_ns) || !settlements_are_right(args)) {
    return wrong(error, "exchange: the arguments are wrong");
  }
  for (uint64_t i = 0; i < args->settlement_count; ++i) {
    args->settlement_results[i] = settle(session, subscription, settlement_at(args, i));
  }
  return args->max_messages > 0 ? receive(session, subscription, args, batch, error) : SWAPMQ_OK;
}

/* What the host's pointers point at. */
#ifndef PARTS_H
#define PARTS_H

#include <swapmq/backend.h>

#include "queue.h"

#define MAX_NAME_BYTES 255

/* For a broker: its address and credentials. */
struct swapmq_backend {
  const swapmq_host* host; /* to log with, and to count */
  store* store;
};

/* For a broker: the connection. */
struct swapmq_session {
  store* store;
  waiter waiter;
  swapmq_queue* queues;
  swapmq_subscription* subscriptions;
};

struct swapmq_queue {
  swapmq_queue* next;
  message_queue* of;
};

struct swapmq_subscription {
  swapmq_subscription* next;
  message_queue* of;
  uint32_t prefetch;
};

int64_t unix_now_ms(void);

#endif

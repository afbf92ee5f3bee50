/* The queues: in the memory of this process, to be replaced by your broker.
 *
 * One lock for all of them, which the functions below take themselves. Short, right and slow; what
 * matters is what each function means, which yours have to mean as well. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <swapmq/backend.h>

/* A copy of a message. Several may own it: the queue, and the batches that show it. */
typedef struct message message;
const swapmq_message* message_view(const message* of);
void message_drop(message* of);

/* All queues of the process. They are gone with the last one who has it open. */
typedef struct store store;
store* store_open(void); /* NULL: no memory */
void store_close(store* of);

/* One queue; it lives as long as the store, whether it exists for its users or not. */
typedef struct message_queue message_queue;
message_queue* queue_of(store* of, swapmq_bytes name); /* NULL: no memory */
void queue_create(store* of, message_queue* which);
void queue_delete(store* of, message_queue* which);
void queue_sizes(store* of, message_queue* which, swapmq_queue_stats* stats);
uint64_t queue_purge(store* of, message_queue* which);
/* Calls `each` for the name of every queue that exists, in byte order; 0: no memory. */
int queue_list(store* of, void (*each)(void* context, swapmq_bytes name), void* context);
/* At its end; 0: no memory. */
int queue_publish(store* of, message_queue* which, const swapmq_message* given);

/* A delivery: which message, and which of its deliveries. One that was given back and delivered
 * again has another turn, so that an old receipt settles nothing. */
typedef struct receipt {
  uint64_t place, turn;
} receipt;

typedef struct taken {
  message* shown; /* the taker's to drop */
  receipt names;
  uint32_t delivery_count;
  int before; /* it was delivered before */
} taken;

/* What waits for messages; interrupting it ends the wait. */
typedef struct waiter {
  int interrupted;
} waiter;
void waiter_interrupt(store* of, waiter* who);

/* Takes up to `most` messages for `holder`, who has `prefetch`; waits for the first until the
 * deadline. How many; 0: none came, and *was_interrupted says why. */
size_t queue_take(store* of, message_queue* which, const void* holder, waiter* who, taken* to,
                  size_t most, uint64_t prefetch, uint64_t max_bytes, int64_t deadline_ns,
                  int* was_interrupted);
/* OK, or LOST: it is not the holder's any more. */
swapmq_status queue_settle(store* of, message_queue* which, const void* holder, receipt names,
                           int32_t action);
/* What the holder has goes back, uncounted. */
void queue_give_back(store* of, message_queue* which, const void* holder);

#endif

#define _POSIX_C_SOURCE 200809L
#include "queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- messages -------------------------------------------------------------------------------- */

struct message {
  atomic_int owners;
  swapmq_message view; /* points into this allocation, behind the headers */
  swapmq_header headers[];
};

const swapmq_message* message_view(const message* of) { return &of->view; }

void message_drop(message* of) {
  if (of != NULL && atomic_fetch_sub(&of->owners, 1) == 1) free(of);
}

static const swapmq_header* header_at(const swapmq_message* of, uint32_t i) {
  return (const swapmq_header*)((const char*)of->headers + (size_t)i * of->header_size);
}

static swapmq_bytes keep(char** to, swapmq_bytes from) {
  const swapmq_bytes kept = {*to, from.size};
  if (from.size > 0) memcpy(*to, from.data, from.size);
  *to += from.size;
  return kept;
}

static message* message_copy(const swapmq_message* from) {
  size_t bytes = from->id.size + from->body.size + from->ordering_key.size +
                 from->correlation_id.size + from->reply_to.size + from->content_type.size;
  for (uint32_t i = 0; i < from->header_count; ++i) {
    bytes += header_at(from, i)->name.size + header_at(from, i)->value.size;
  }
  message* copy = malloc(sizeof *copy + from->header_count * sizeof(swapmq_header) + bytes);
  if (copy == NULL) return NULL;
  atomic_init(&copy->owners, 1);
  copy->view = *from;
  char* to = (char*)(copy->headers + from->header_count);
  copy->view.id = keep(&to, from->id);
  copy->view.body = keep(&to, from->body);
  copy->view.ordering_key = keep(&to, from->ordering_key);
  copy->view.correlation_id = keep(&to, from->correlation_id);
  copy->view.reply_to = keep(&to, from->reply_to);
  copy->view.content_type = keep(&to, from->content_type);
  for (uint32_t i = 0; i < from->header_count; ++i) {
    copy->headers[i].name = keep(&to, header_at(from, i)->name);
    copy->headers[i].value = keep(&to, header_at(from, i)->value);
  }
  copy->view.headers = from->header_count > 0 ? copy->headers : NULL;
  copy->view.header_size = sizeof(swapmq_header);
  return copy;
}

/* ---- queues ---------------------------------------------------------------------------------- */

typedef struct entry {
  struct entry *previous, *next;
  message* stored;
  uint64_t place; /* in the order of publishing */
  uint64_t turn;  /* of its latest delivery */
  uint32_t returns;
  int before;         /* it was handed out */
  const void* holder; /* of one that is unacked */
} entry;

/* In the order of places. */
typedef struct line {
  entry *first, *last;
  uint64_t size;
} line;

struct message_queue {
  message_queue* next;
  line ready, unacked;
  int exists;
  size_t name_size;
  char name[];
};

struct store {
  int opened;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  message_queue* queues; /* in byte order of their names */
  uint64_t next_place, next_turn;
};

static void unlink_entry(line* from, entry* which) {
  *(which->previous != NULL ? &which->previous->next : &from->first) = which->next;
  *(which->next != NULL ? &which->next->previous : &from->last) = which->previous;
  --from->size;
}

/* To its place, which is near an end. */
static void insert_entry(line* to, entry* which) {
  entry* after = to->last;
  if (to->first != NULL && which->place < to->first->place) after = NULL;
  while (after != NULL && after->place > which->place) after = after->previous;
  which->previous = after;
  which->next = after != NULL ? after->next : to->first;
  *(which->previous != NULL ? &which->previous->next : &to->first) = which;
  *(which->next != NULL ? &which->next->previous : &to->last) = which;
  ++to->size;
}

static void drop_entry(entry* which) {
  message_drop(which->stored);
  free(which);
}

static void clear_line(line* which) {
  while (which->first != NULL) {
    entry* first = which->first;
    unlink_entry(which, first);
    drop_entry(first);
  }
}

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static store* of_process;

static store* store_make(void) {
  store* made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  made->next_place = made->next_turn = 1;
  pthread_condattr_t monotonic; /* deadlines are of that clock */
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&made->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&made->mutex, NULL);
  return made;
}

store* store_open(void) {
  pthread_mutex_lock(&opening);
  if (of_process == NULL) of_process = store_make();
  if (of_process != NULL) ++of_process->opened;
  store* opened = of_process;
  pthread_mutex_unlock(&opening);
  return opened;
}

void store_close(store* of) {
  pthread_mutex_lock(&opening);
  const int last = --of->opened == 0;
  if (last) of_process = NULL;
  pthread_mutex_unlock(&opening);
  if (!last) return;
  while (of->queues != NULL) {
    message_queue* first = of->queues;
    of->queues = first->next;
    clear_line(&first->ready);
    clear_line(&first->unacked);
    free(first);
  }
  pthread_cond_destroy(&of->changed);
  pthread_mutex_destroy(&of->mutex);
  free(of);
}

static int compare(const message_queue* with, swapmq_bytes name) {
  const size_t common = with->name_size < name.size ? with->name_size : (size_t)name.size;
  const int order = memcmp(with->name, name.data, common);
  if (order != 0) return order;
  return with->name_size < name.size ? -1 : with->name_size > name.size;
}

message_queue* queue_of(store* of, swapmq_bytes name) {
  pthread_mutex_lock(&of->mutex);
  message_queue** at = &of->queues;
  while (*at != NULL && compare(*at, name) < 0) at = &(*at)->next;
  message_queue* found = *at;
  if (found == NULL || compare(found, name) != 0) {
    found = calloc(1, sizeof *found + name.size);
    if (found != NULL) {
      memcpy(found->name, name.data, name.size);
      found->name_size = name.size;
      found->next = *at;
      *at = found;
    }
  }
  pthread_mutex_unlock(&of->mutex);
  return found;
}

void queue_create(store* of, message_queue* which) {
  pthread_mutex_lock(&of->mutex);
  which->exists = 1;
  pthread_mutex_unlock(&of->mutex);
}

void queue_delete(store* of, message_queue* which) {
  pthread_mutex_lock(&of->mutex);
  clear_line(&which->ready);
  clear_line(&which->unacked);
  which->exists = 0;
  pthread_mutex_unlock(&of->mutex);
}

void queue_sizes(store* of, message_queue* which, swapmq_queue_stats* stats) {
  pthread_mutex_lock(&of->mutex);
  stats->ready = which->ready.size;
  stats->unacked = which->unacked.size;
  stats->exists = which->exists;
  pthread_mutex_unlock(&of->mutex);
  stats->ready_precision = stats->unacked_precision = stats->delayed_precision = SWAPMQ_STAT_EXACT;
  stats->atomic = 1;
}

uint64_t queue_purge(store* of, message_queue* which) {
  pthread_mutex_lock(&of->mutex);
  const uint64_t removed = which->ready.size;
  clear_line(&which->ready);
  pthread_mutex_unlock(&of->mutex);
  return removed;
}

/* The names are copied first: what is called may call us. */
int queue_list(store* of, void (*each)(void* context, swapmq_bytes name), void* context) {
  pthread_mutex_lock(&of->mutex);
  size_t size = 0;
  for (const message_queue* at = of->queues; at != NULL; at = at->next) {
    size += at->exists ? sizeof(size_t) + at->name_size : 0;
  }
  char* names = malloc(size + 1);
  char* to = names;
  for (const message_queue* at = of->queues; at != NULL && names != NULL; at = at->next) {
    if (!at->exists) continue;
    memcpy(to, &at->name_size, sizeof(size_t));
    memcpy(to + sizeof(size_t), at->name, at->name_size);
    to += sizeof(size_t) + at->name_size;
  }
  pthread_mutex_unlock(&of->mutex);
  if (names == NULL) return 0;
  for (const char* from = names; from < to;) {
    swapmq_bytes name = {from + sizeof(size_t), 0};
    size_t length = 0;
    memcpy(&length, from, sizeof length);
    name.size = length;
    each(context, name);
    from += sizeof(size_t) + length;
  }
  free(names);
  return 1;
}

int queue_publish(store* of, message_queue* which, const swapmq_message* given) {
  entry* made = calloc(1, sizeof *made);
  message* copy = made != NULL ? message_copy(given) : NULL;
  if (copy == NULL) {
    free(made);
    return 0;
  }
  made->stored = copy;
  pthread_mutex_lock(&of->mutex);
  which->exists = 1;
  made->place = of->next_place++;
  insert_entry(&which->ready, made);
  pthread_cond_broadcast(&of->changed);
  pthread_mutex_unlock(&of->mutex);
  return 1;
}

/* ---- consuming ------------------------------------------------------------------------------- */

void waiter_interrupt(store* of, waiter* who) {
  pthread_mutex_lock(&of->mutex);
  who->interrupted = 1; /* also for a wait that has not begun */
  pthread_cond_broadcast(&of->changed);
  pthread_mutex_unlock(&of->mutex);
}

static size_t held_by(const message_queue* which, const void* holder) {
  size_t held = 0;
  for (const entry* at = which->unacked.first; at != NULL; at = at->next)
    held += at->holder == holder;
  return held;
}

static size_t take_ready(store* of, message_queue* which, const void* holder, taken* to,
                         size_t most, uint64_t max_bytes) {
  uint64_t bytes = 0;
  size_t count = 0;
  while (count < most && which->ready.first != NULL) {
    entry* next = which->ready.first;
    const swapmq_message* shown = &next->stored->view;
    bytes += shown->body.size;
    if (max_bytes != 0 && count > 0 && bytes > max_bytes) break; /* the first always fits */
    unlink_entry(&which->ready, next);
    next->turn = of->next_turn++;
    next->holder = holder;
    to[count].shown = next->stored;
    to[count].names.place = next->place;
    to[count].names.turn = next->turn;
    /* A message that was moved here brings its count along. */
    to[count].delivery_count = shown->delivery_count + next->returns + 1;
    to[count].before = next->before || shown->delivery_count > 0;
    atomic_fetch_add(&next->stored->owners, 1);
    next->before = 1;
    insert_entry(&which->unacked, next);
    ++count;
  }
  return count;
}

/* 0: it has passed. */
static int wait_for_change(store* of, int64_t deadline_ns) {
  const struct timespec until = {(time_t)(deadline_ns / 1000000000),
                                 (long)(deadline_ns % 1000000000)};
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= deadline_ns) return 0;
  pthread_cond_timedwait(&of->changed, &of->mutex, &until);
  return 1;
}

size_t queue_take(store* of, message_queue* which, const void* holder, waiter* who, taken* to,
                  size_t most, uint64_t prefetch, uint64_t max_bytes, int64_t deadline_ns,
                  int* was_interrupted) {
  size_t count = 0;
  *was_interrupted = 0;
  pthread_mutex_lock(&of->mutex);
  for (;;) {
    const uint64_t held = held_by(which, holder);
    const uint64_t room = held < prefetch ? prefetch - held : 0;
    count = take_ready(of, which, holder, to, most < room ? most : (size_t)room, max_bytes);
    if (count > 0) break;
    if (who->interrupted) {
      who->interrupted = 0; /* several of them count as one */
      *was_interrupted = 1;
      break;
    }
    if (!wait_for_change(of, deadline_ns)) break;
  }
  pthread_mutex_unlock(&of->mutex);
  return count;
}

static void give_back(message_queue* which, entry* held) {
  unlink_entry(&which->unacked, held);
  held->holder = NULL;
  insert_entry(&which->ready, held);
}

swapmq_status queue_settle(store* of, message_queue* which, const void* holder, receipt names,
                           int32_t action) {
  swapmq_status status = SWAPMQ_OK;
  pthread_mutex_lock(&of->mutex);
  entry* held = which->unacked.first;
  while (held != NULL && (held->place != names.place || held->turn != names.turn)) {
    held = held->next;
  }
  if (held == NULL || held->holder != holder) {
    status = SWAPMQ_LOST;
  } else if (action == SWAPMQ_SETTLE_ACK) {
    unlink_entry(&which->unacked, held);
    drop_entry(held);
  } else if (action == SWAPMQ_SETTLE_NACK || action == SWAPMQ_SETTLE_RELEASE) {
    held->returns += action == SWAPMQ_SETTLE_NACK;
    give_back(which, held);
    pthread_cond_broadcast(&of->changed);
  } else {
    status = SWAPMQ_NOT_SUPPORTED; /* dead letters: the host publishes and acks */
  }
  pthread_mutex_unlock(&of->mutex);
  return status;
}

void queue_give_back(store* of, message_queue* which, const void* holder) {
  pthread_mutex_lock(&of->mutex);
  for (entry* at = which->unacked.first; at != NULL;) {
    entry* next = at->next;
    if (at->holder == holder) give_back(which, at);
    at = next;
  }
  pthread_cond_broadcast(&of->changed);
  pthread_mutex_unlock(&of->mutex);
}

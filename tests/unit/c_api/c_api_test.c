/* SPDX-License-Identifier: MIT
 *
 * swapmq.h from C99: publishes, consumes, settles, manages, switches, and what it answers to wrong
 * calls. The argument is a folder for a database. */
#define _POSIX_C_SOURCE 200809L
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <swapmq/swapmq.h>
#include <time.h>

static char error[512];
static int failures = 0;

#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      fprintf(stderr, "%s:%d: not so: %s (error: \"%s\")\n", __FILE__, __LINE__, #condition, \
              error);                                                                        \
      ++failures;                                                                            \
    }                                                                                        \
  } while (0)
#define TEXT error, sizeof error
#define WAIT 10000

static int is(const char* data, size_t size, const char* expected) {
  return size == strlen(expected) && memcmp(data, expected, size) == 0;
}

typedef const char* getter(const swapmq_mq_delivery* delivery, size_t* size);

static int gives(getter* get, const swapmq_mq_delivery* delivery, const char* expected) {
  size_t size = 0;
  const char* data = get(delivery, &size);
  return is(data, size, expected);
}

static swapmq_mq* open_memory(const char* folder) {
  char json[1024];
  swapmq_mq* mq = NULL;
  const int size = snprintf(
      json, sizeof json,
      "{\"message_queue\":{\"type\":\"memory\",\"memory\":{\"name\":\"c\"},"
      "\"sqlite\":{\"path\":\"%s/c.db\"},\"task_queue\":\"jobs\",\"retry_delay_seconds\":0},"
      "\"queues\":{\"@task\":{\"max_deliveries\":2},\"orders\":{\"groups\":[\"a\",\"b\"]}},"
      "\"log\":{\"level\":\"off\"}}",
      folder);
  CHECK(swapmq_mq_open_text(json, (size_t)size, "test", &mq, TEXT) == SWAPMQ_MQ_OK);
  CHECK(mq != NULL && strcmp(error, "") == 0);
  return mq;
}

static swapmq_mq_message message(const char* body) {
  swapmq_mq_message one;
  memset(&one, 0, sizeof one);
  one.struct_size = sizeof one;
  one.body = body;
  one.body_size = strlen(body);
  return one;
}

/* The next delivery of the subscription; NULL: none came. */
static swapmq_mq_delivery* next(swapmq_mq_subscription* subscription, int64_t timeout_ms) {
  swapmq_mq_delivery* delivery = NULL;
  size_t count = 7;
  CHECK(swapmq_mq_receive(subscription, 1, timeout_ms, &delivery, &count, TEXT) == SWAPMQ_MQ_OK);
  CHECK(count <= 1);
  return count == 1 ? delivery : NULL;
}

static void everything_of_a_message_arrives(swapmq_mq* mq) {
  const swapmq_mq_header headers[2] = {{"colour", 6, "r\0d", 3}, {"empty", 5, NULL, 0}};
  swapmq_mq_message one = message("a\nb");
  swapmq_mq_sent sent;
  swapmq_mq_subscription* subscription = NULL;
  swapmq_mq_delivery* got = NULL;
  swapmq_mq_header header;
  const char* data = NULL;
  size_t size = 0;
  one.id = "the-id";
  one.id_size = 6;
  one.headers = headers;
  one.header_count = 2;
  one.priority = 3;
  one.reply_to = "answers";
  one.reply_to_size = 7;
  one.content_type = "text/plain";
  one.content_type_size = 10;
  one.correlation_id = "c";
  one.correlation_id_size = 1;
  one.ordering_key = "k";
  one.ordering_key_size = 1;
  CHECK(swapmq_mq_publish(mq, "whole", &one, 1, WAIT, &sent, TEXT) == SWAPMQ_MQ_OK);
  CHECK(sent.outcome == SWAPMQ_MQ_CONFIRMED && sent.status == SWAPMQ_MQ_OK);
  CHECK(strcmp(sent.id, "the-id") == 0);
  CHECK(swapmq_mq_subscribe(mq, "whole", NULL, &subscription, TEXT) == SWAPMQ_MQ_OK);
  got = next(subscription, WAIT);
  if (got == NULL) abort();
  CHECK(gives(swapmq_mq_delivery_body, got, "a\nb"));
  CHECK(gives(swapmq_mq_delivery_id, got, "the-id"));
  CHECK(gives(swapmq_mq_delivery_queue, got, "whole"));
  CHECK(gives(swapmq_mq_delivery_reply_to, got, "answers"));
  CHECK(gives(swapmq_mq_delivery_content_type, got, "text/plain"));
  CHECK(gives(swapmq_mq_delivery_correlation_id, got, "c"));
  CHECK(gives(swapmq_mq_delivery_ordering_key, got, "k"));
  data = swapmq_mq_delivery_header(got, "colour", &size);
  CHECK(data != NULL && size == 3 && memcmp(data, "r\0d", 3) == 0);
  CHECK(swapmq_mq_delivery_header(got, "none", &size) == NULL && size == 0);
  CHECK(swapmq_mq_delivery_header_count(got) == 2);
  CHECK(swapmq_mq_delivery_header_at(got, 1, &header) == 1);
  CHECK(is(header.name, header.name_size, "empty") && header.value_size == 0);
  CHECK(swapmq_mq_delivery_header_at(got, 2, &header) == 0);
  CHECK(swapmq_mq_delivery_count(got) == 1);
  CHECK(swapmq_mq_delivery_timestamp_ms(got) / 1000 - (int64_t)time(NULL) < 60);
  CHECK(swapmq_mq_ack(got) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_ack(got) == SWAPMQ_MQ_CONFLICT);
  CHECK(swapmq_mq_wait_settled(got, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(got);
  CHECK(next(subscription, 0) == NULL);
  CHECK(swapmq_mq_subscription_close(subscription, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_subscription_free(subscription);
}

static void settlements_mean_what_they_say(swapmq_mq* mq) {
  swapmq_mq_message one = message("again");
  swapmq_mq_subscription* jobs = NULL;
  swapmq_mq_subscription* dead = NULL;
  swapmq_mq_delivery* got = NULL;
  const char* data = NULL;
  size_t size = 0;
  CHECK(swapmq_mq_publish(mq, "@task", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_subscribe(mq, "jobs", NULL, &jobs, TEXT) == SWAPMQ_MQ_OK);
  got = next(jobs, WAIT);
  CHECK(swapmq_mq_release(got) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_wait_settled(got, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(got);
  got = next(jobs, WAIT);
  CHECK(swapmq_mq_delivery_count(got) == 1); /* a release does not count */
  CHECK(swapmq_mq_extend(got) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_nack(got, -1, "first") == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_wait_settled(got, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(got);
  got = next(jobs, WAIT);
  CHECK(swapmq_mq_delivery_count(got) == 2);
  CHECK(swapmq_mq_reject(got, "no good") == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_wait_settled(got, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(got);
  CHECK(swapmq_mq_subscribe(mq, "jobs.dead", NULL, &dead, TEXT) == SWAPMQ_MQ_OK);
  got = next(dead, WAIT);
  data = swapmq_mq_delivery_header(got, "swapmq-dead-letter-reason", &size);
  CHECK(data != NULL && is(data, size, "no good"));
  CHECK(swapmq_mq_ack(got) == SWAPMQ_MQ_OK);
  swapmq_mq_subscription_free(dead); /* it is settled all the same */
  swapmq_mq_subscription_free(jobs);
  CHECK(swapmq_mq_wait_settled(got, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(got);
}

struct seen {
  swapmq_mq_delivery* kept;
  atomic_int calls;
};

/* The first one is nacked, the second kept. */
static int32_t handle(void* context, const swapmq_mq_delivery* delivery) {
  struct seen* seen = context;
  const int before = atomic_load(&seen->calls);
  if (before == 1) seen->kept = swapmq_mq_delivery_keep(delivery);
  atomic_store(&seen->calls, before + 1);
  return before == 0 ? SWAPMQ_MQ_DECIDE_NACK : SWAPMQ_MQ_DECIDE_NOTHING;
}

static void await_calls(atomic_int* calls, int count) {
  int turns = 0;
  while (atomic_load(calls) < count && ++turns < 2000) {
    const struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
  }
  CHECK(atomic_load(calls) == count);
}

static void a_handler_is_called_until_its_consumer_is_closed(swapmq_mq* mq) {
  swapmq_mq_message one = message("handled");
  swapmq_mq_consume_options options;
  swapmq_mq_consumer* consumer = NULL;
  struct seen seen = {NULL, 0};
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.prefetch = 1;
  CHECK(swapmq_mq_consume(mq, "handled", &options, handle, &seen, &consumer, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_publish(mq, "handled", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  await_calls(&seen.calls, 2);
  CHECK(swapmq_mq_ack(seen.kept) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_consumer_close(consumer, WAIT, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_wait_settled(seen.kept, WAIT, TEXT) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(seen.kept);
  swapmq_mq_consumer_free(consumer);
}

static int32_t count_and_ack(void* context, const swapmq_mq_delivery* delivery) {
  (void)delivery;
  atomic_fetch_add((atomic_int*)context, 1);
  return SWAPMQ_MQ_DECIDE_ACK;
}

static void who_is_paused_gets_nothing_until_it_goes_on(swapmq_mq* mq) {
  swapmq_mq_message one = message("paused");
  swapmq_mq_consumer* consumer = NULL;
  swapmq_mq_subscription* subscription = NULL;
  swapmq_mq_delivery* got = NULL;
  atomic_int calls = 0;
  CHECK(swapmq_mq_consume(mq, "paused", NULL, count_and_ack, &calls, &consumer, TEXT) ==
        SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_consumer_pause(consumer, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_subscribe(mq, "paused", NULL, &subscription, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_subscription_pause(subscription, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_publish(mq, "paused", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  CHECK(next(subscription, 50) == NULL);
  CHECK(atomic_load(&calls) == 0);
  CHECK(swapmq_mq_subscription_resume(subscription, TEXT) == SWAPMQ_MQ_OK);
  got = next(subscription, WAIT);
  CHECK(got != NULL);
  CHECK(swapmq_mq_release(got) == SWAPMQ_MQ_OK);
  swapmq_mq_delivery_free(got);
  CHECK(swapmq_mq_subscription_pause(subscription, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_consumer_resume(consumer, TEXT) == SWAPMQ_MQ_OK);
  await_calls(&calls, 1);
  CHECK(swapmq_mq_consumer_pause(NULL, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(swapmq_mq_subscription_resume(NULL, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  swapmq_mq_subscription_free(subscription);
  swapmq_mq_consumer_free(consumer);
}

/* Releases what comes first, rejects it then, and acks whatever else comes. */
static int32_t decide(void* context, const swapmq_mq_delivery* delivery) {
  static const int32_t decisions[] = {SWAPMQ_MQ_DECIDE_RELEASE, SWAPMQ_MQ_DECIDE_REJECT};
  atomic_int* calls = context;
  const int call = atomic_fetch_add(calls, 1);
  CHECK(swapmq_mq_delivery_count(delivery) == 1); /* a release does not count */
  return call < 2 ? decisions[call] : SWAPMQ_MQ_DECIDE_ACK;
}

static void each_decision_is_done(swapmq_mq* mq) {
  swapmq_mq_message one = message("decided");
  swapmq_mq_consumer* consumer = NULL;
  swapmq_mq_subscription* dead = NULL;
  swapmq_mq_delivery* got = NULL;
  atomic_int calls = 0;
  CHECK(swapmq_mq_publish(mq, "decided", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_consume(mq, "decided", NULL, decide, &calls, &consumer, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_subscribe(mq, "decided.dead", NULL, &dead, TEXT) == SWAPMQ_MQ_OK);
  got = next(dead, WAIT);
  CHECK(got != NULL && atomic_load(&calls) == 2);
  swapmq_mq_consumer_free(consumer);
  swapmq_mq_delivery_free(got);
  swapmq_mq_subscription_free(dead);
}

static void count_name(void* context, const char* name, size_t name_size) {
  if (is(name, name_size, "managed")) ++*(int*)context;
}

static void queues_are_managed(swapmq_mq* mq) {
  swapmq_mq_message two[2];
  swapmq_mq_stats stats;
  uint64_t removed = 0;
  int named = 0;
  size_t shown = 7;
  swapmq_mq_delivery* deliveries[2] = {NULL, NULL};
  two[0] = message("1");
  two[1] = message("2");
  two[1].delay_ms = 3600000;
  CHECK(swapmq_mq_create_queue(mq, "managed", WAIT, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_publish(mq, "managed", two, 2, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  stats.struct_size = sizeof stats;
  CHECK(swapmq_mq_queue_stats(mq, "managed", WAIT, &stats, TEXT) == SWAPMQ_MQ_OK);
  CHECK(stats.ready == 1 && stats.delayed == 1 && stats.unacked == 0);
  CHECK(stats.exists == 1 && stats.exact == 1);
  CHECK(swapmq_mq_list_queues(mq, WAIT, count_name, &named, TEXT) == SWAPMQ_MQ_OK && named == 1);
  CHECK(swapmq_mq_peek(mq, "managed", 2, WAIT, deliveries, &shown, TEXT) == SWAPMQ_MQ_OK);
  CHECK(shown == 1 && gives(swapmq_mq_delivery_body, deliveries[0], "1"));
  swapmq_mq_delivery_free(deliveries[0]);
  CHECK(swapmq_mq_purge_queue(mq, "managed", WAIT, &removed, TEXT) == SWAPMQ_MQ_OK && removed == 2);
  CHECK(swapmq_mq_delete_queue(mq, "managed", WAIT, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_queue_stats(mq, "managed", WAIT, &stats, TEXT) == SWAPMQ_MQ_OK);
  CHECK(stats.exists == 0);
  CHECK(swapmq_mq_ping(mq, WAIT, TEXT) == SWAPMQ_MQ_OK);
}

static void add_name(void* context, const char* name, size_t size) {
  strncat(strcat((char*)context, " "), name, size);
}

static void each_group_gets_every_message(swapmq_mq* mq) {
  char names[64] = "";
  swapmq_mq_consume_options options;
  swapmq_mq_subscription* subscription = NULL;
  swapmq_mq_message one = message("for all");
  CHECK(swapmq_mq_list_groups(mq, "orders", add_name, names, TEXT) == SWAPMQ_MQ_OK);
  CHECK(strcmp(names, " a b") == 0);
  CHECK(swapmq_mq_publish(mq, "orders", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  for (options.group = "a"; options.group != NULL;
       options.group = options.group[0] == 'a' ? "b" : NULL) {
    swapmq_mq_delivery* got = NULL;
    CHECK(swapmq_mq_subscribe(mq, "orders", &options, &subscription, TEXT) == SWAPMQ_MQ_OK);
    got = next(subscription, WAIT);
    CHECK(got != NULL && gives(swapmq_mq_delivery_body, got, "for all"));
    CHECK(got != NULL && swapmq_mq_ack(got) == SWAPMQ_MQ_OK);
    swapmq_mq_delivery_free(got);
    swapmq_mq_subscription_free(subscription);
  }
  options.group = "c";
  CHECK(swapmq_mq_subscribe(mq, "orders", &options, &subscription, TEXT) ==
        SWAPMQ_MQ_INVALID_ARGUMENT);
}

static void the_backend_is_changed_and_changed_back(swapmq_mq* mq) {
  char name[16];
  int32_t phase = -1;
  swapmq_mq_message one = message("there");
  CHECK(swapmq_mq_backend_name(mq, name, sizeof name) == 6 && strcmp(name, "memory") == 0);
  CHECK(swapmq_mq_switch_to(mq, "sqlite", TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_wait_for_switch(mq, WAIT, &phase, TEXT) == SWAPMQ_MQ_OK);
  CHECK(phase == SWAPMQ_MQ_PHASE_RETIRED || phase == SWAPMQ_MQ_PHASE_DRAIN);
  CHECK(swapmq_mq_backend_name(mq, name, 4) == 6 && strcmp(name, "sql") == 0);
  CHECK(swapmq_mq_publish(mq, "moved", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_roll_back(mq, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_wait_for_switch(mq, 100, &phase, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_switch_to(mq, "nosuch", TEXT) == SWAPMQ_MQ_PLUGIN);
  CHECK(swapmq_mq_reload(mq, "/nonexistent.json", TEXT) == SWAPMQ_MQ_CONFIG);
}

static void wrong_calls_are_refused(swapmq_mq* mq) {
  swapmq_mq* none = NULL;
  swapmq_mq_message one = message("x");
  swapmq_mq_sent sent;
  swapmq_mq_subscription* subscription = NULL;
  char tiny[8];
  one.struct_size = 1;
  CHECK(swapmq_mq_open("/nonexistent.json", &none, TEXT) == SWAPMQ_MQ_CONFIG && none == NULL);
  CHECK(strstr(error, "/nonexistent.json: cannot be found") == error);
  CHECK(swapmq_mq_open("/nonexistent.json", &none, tiny, sizeof tiny) == SWAPMQ_MQ_CONFIG);
  CHECK(strcmp(tiny, "/nonexi") == 0);
  CHECK(swapmq_mq_open("/nonexistent.json", &none, NULL, 0) == SWAPMQ_MQ_CONFIG);
  CHECK(swapmq_mq_open(NULL, NULL, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(swapmq_mq_publish(mq, "q", &one, 1, WAIT, &sent, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(sent.outcome == SWAPMQ_MQ_FAILED);
  one.struct_size = sizeof one;
  CHECK(swapmq_mq_publish(mq, "", &one, 1, WAIT, &sent, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(sent.outcome == SWAPMQ_MQ_FAILED && sent.status == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(swapmq_mq_publish(mq, "q", NULL, 1, WAIT, &sent, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(swapmq_mq_publish(mq, "q", NULL, 0, WAIT, NULL, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_publish(NULL, "q", &one, 1, WAIT, NULL, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(swapmq_mq_subscribe(mq, NULL, NULL, &subscription, TEXT) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(swapmq_mq_ack(NULL) == SWAPMQ_MQ_INVALID_ARGUMENT);
  CHECK(strcmp(swapmq_mq_status_name(SWAPMQ_MQ_TIMEOUT), "timeout") == 0);
  CHECK(strcmp(swapmq_mq_status_name(99), "unknown") == 0);
  swapmq_mq_delivery_free(NULL);
  swapmq_mq_consumer_free(NULL);
  swapmq_mq_subscription_free(NULL);
  swapmq_mq_free(NULL);
}

/* As an application would call it that was built when a message had fewer members. */
static void structs_may_grow(swapmq_mq* mq) {
  struct {
    size_t struct_size;
    const void* body;
    size_t body_size;
  } old[2] = {{sizeof old[0], "1", 1}, {sizeof old[0], "2", 1}};
  uint64_t removed = 0;
  CHECK(swapmq_mq_publish(mq, "old", (const swapmq_mq_message*)(const void*)old, 2, WAIT, NULL,
                          TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_purge_queue(mq, "old", WAIT, &removed, TEXT) == SWAPMQ_MQ_OK && removed == 2);
}

int main(int argc, char** argv) {
  swapmq_mq* mq = open_memory(argc > 1 ? argv[1] : ".");
  if (mq == NULL) return 1;
  everything_of_a_message_arrives(mq);
  settlements_mean_what_they_say(mq);
  a_handler_is_called_until_its_consumer_is_closed(mq);
  who_is_paused_gets_nothing_until_it_goes_on(mq);
  each_decision_is_done(mq);
  queues_are_managed(mq);
  each_group_gets_every_message(mq);
  structs_may_grow(mq);
  wrong_calls_are_refused(mq);
  the_backend_is_changed_and_changed_back(mq);
  CHECK(swapmq_mq_close(mq, WAIT, TEXT) == SWAPMQ_MQ_OK);
  CHECK(swapmq_mq_ping(mq, WAIT, TEXT) == SWAPMQ_MQ_CLOSED);
  swapmq_mq_free(mq);
  printf("%d failures, swapmq %s\n", failures, swapmq_mq_version());
  return failures == 0 ? 0 : 1;
}

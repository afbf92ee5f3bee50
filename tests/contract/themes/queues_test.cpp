// SPDX-License-Identifier: MIT
//
// Making, deleting, counting, purging, listing queues, and keeping them apart.
#include <algorithm>
#include <atomic>
#include <cctype>

#include "fixture.h"

namespace swapmq::contract {
namespace {

class Queues : public Contract {};

CONTRACT_TEST(Queues, CreatingTwiceIsFine, "create_queue()",
              "a queue that exists is left as it is when it is created again") {
  const std::string name = fresh_queue();
  Session session = admin();
  swapmq_queue* queue = session.queue(name);
  session.create(queue);
  fill(name, message("kept"));
  session.create(queue);
  Session other = publisher();
  other.create(other.queue(name));
  EXPECT_EQ(drain(name, 1), std::vector<std::string>{"kept"});
}

CONTRACT_TEST(Queues, MadeByTheFirstPublish, "create_queue(); publish()",
              "a publish makes a queue that is missing") {
  const std::string name = fresh_queue();
  fill(name, message("first"));
  Session session = admin();
  EXPECT_EQ(session.stats(session.queue(name)).exists, 1);
  EXPECT_EQ(drain(name, 1), std::vector<std::string>{"first"});
}

CONTRACT_TEST(Queues, MadeByTheFirstConsumer, "subscribe()",
              "a subscribe makes a queue that is missing") {
  const std::string name = fresh_queue();
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 1);
  fill(name, message("after"));
  EXPECT_EQ(subscription.receive(1).body(0), "after");
}

CONTRACT_TEST(Queues, DeletingWhatIsNotThereIsFine, "delete_queue()",
              "deleting a queue that does not exist is OK") {
  const std::string name = fresh_queue();
  Session session = admin();
  swapmq_queue* queue = session.queue(name);
  session.remove(queue);
  session.create(queue);
  session.remove(queue);
  session.remove(queue);
  EXPECT_EQ(session.stats(queue).exists, 0);
}

CONTRACT_TEST(
    Queues, StatsOfAMissingQueue, "swapmq_queue_stats.exists",
    "the stats of a missing queue say exists 0 and sizes of 0, and asking does not make it") {
  const std::string name = fresh_queue();
  Session session = admin();
  const swapmq_queue_stats stats = session.stats(session.queue(name));
  EXPECT_EQ(stats.exists, 0);
  EXPECT_EQ(stats.ready + stats.unacked + stats.delayed, 0u);
  session.create(session.queue(name));
  const swapmq_queue_stats made = session.stats(session.queue(name));
  EXPECT_EQ(made.exists, 1);
  EXPECT_EQ(made.ready + made.unacked + made.delayed, 0u);
}

CONTRACT_TEST(Queues, ExactStatsAreExact, "queue_stats(); swapmq_queue_stats",
              "ready, unacked and delayed that are called EXACT are exact, and kept apart") {
  const std::string name = fresh_queue("stats");
  fill(name, messages("ready", 10));
  if (can().delayed_publish != SWAPMQ_ABSENT) {
    Message later = message("later");
    later.due_at_ms = unix_now_ms() + 60000;
    fill(name, later);
  }
  const std::uint64_t delayed = can().delayed_publish != SWAPMQ_ABSENT ? 1 : 0;
  expect_stats(name, 10, 0, delayed);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 4);
  const Deliveries held = subscription.receive(4);
  expect_stats(name, 6, 4, delayed);
  subscription.settle(ack(held[0]));
  expect_stats(name, 6, 3, delayed);
  subscription.settle(nack(held[1]));
  expect_stats(name, 7, 2, delayed);
  if (can().delayed_nack != SWAPMQ_ABSENT) {
    subscription.settle(nack(held[2], unix_now_ms() + 60000));
    expect_stats(name, 7, 1, delayed + 1);
  }
}

CONTRACT_TEST(Queues, AtomicStatsAreOfOneInstant, "swapmq_queue_stats.atomic",
              "stats that are called atomic were read at one instant") {
  const std::string name = fresh_queue("stats");
  constexpr std::uint64_t kMessages = 40;
  fill(name, messages("moving", kMessages));
  Session watcher = admin();
  swapmq_queue* watched = watcher.queue(name);
  const swapmq_queue_stats first = watcher.stats(watched);
  const bool exact =
      first.ready_precision == SWAPMQ_STAT_EXACT && first.unacked_precision == SWAPMQ_STAT_EXACT;
  if (first.atomic == 0 || !exact) NOT_PROMISED("stats that are atomic and exact");
  std::atomic<bool> done{false};
  Crew crew;
  crew.run([&] { // messages go to and fro between ready and unacked; their sum stays
    Session session = consumer();
    while (!done) {
      Subscription subscription = session.subscribe(session.queue(name), 20);
      const Deliveries held = subscription.receive(20);
      for (const swapmq_delivery* delivery : held) subscription.settle(nack(*delivery));
    }
  });
  for (int i = 0; i < 100; ++i) {
    const swapmq_queue_stats now = watcher.stats(watched);
    EXPECT_EQ(now.ready + now.unacked, kMessages) << now.ready << " and " << now.unacked;
    if (HasFailure()) break;
  }
  done = true;
  crew.join();
}

CONTRACT_TEST(
    Queues, PurgeTakesReadyAndDelayedAndLeavesUnacked, "purge_queue()",
    "a purge removes what is ready or delayed, says how many, and leaves what is unacked") {
  NEEDS(purge);
  const std::string name = fresh_queue("purge");
  fill(name, messages("purged", 10));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 3);
  const Deliveries held = subscription.receive(3);
  std::uint64_t delayed = 0;
  if (can().delayed_publish != SWAPMQ_ABSENT) {
    Message later = message("later");
    later.due_at_ms = unix_now_ms() + 300;
    fill(name, std::vector{later, message("and one more")});
    delayed = 2;
  }
  Session other = admin();
  EXPECT_EQ(other.purge(other.queue(name)), 7 + delayed) << "how many it removed";
  expect_stats(name, 0, 3, 0);
  EXPECT_EQ(subscription.settle(ack(held[0])), SWAPMQ_OK) << "unacked stays with its consumer";
  EXPECT_EQ(subscription.settle(nack(held[1])), SWAPMQ_OK);
  const Deliveries again = subscription.receive(1);
  EXPECT_EQ(again.body(0), held.body(1));
  EXPECT_EQ(subscription.settle(ack(again[0])), SWAPMQ_OK);
  EXPECT_EQ(subscription.settle(ack(held[2])), SWAPMQ_OK);
  EXPECT_EQ(subscription.poll(3, milliseconds(450)).size(), 0u) << "purged, and came yet";
}

CONTRACT_TEST(Queues, PurgeOfWhatWasNackedWithADelay, "purge_queue()",
              "a purge removes what was nacked with a delay, too") {
  NEEDS(purge);
  NEEDS(delayed_nack);
  const std::string name = fresh_queue("purge");
  fill(name, messages("nacked", 2));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 2);
  for (const swapmq_delivery* delivery : subscription.receive(2)) {
    subscription.settle(nack(*delivery, unix_now_ms() + 200));
  }
  Session other = admin();
  EXPECT_EQ(other.purge(other.queue(name)), 2u);
  EXPECT_EQ(subscription.poll(2, milliseconds(350)).size(), 0u);
}

/// Read ahead or handed out, all of it is there again once the consumer has left: also what comes
/// at this moment, in the place of what was settled.
CONTRACT_TEST(
    Queues, PurgeTakesWhatAConsumerGaveBackThatJustLeft, "purge_queue(); unsubscribe()",
    "all that a consumer held or had read ahead is back in the queue once unsubscribe returns") {
  NEEDS(purge);
  const std::string name = fresh_queue("purge");
  Session consuming = consumer();
  Session other = admin();
  for (int round = 0; round < 100 && !HasFailure(); ++round) {
    const auto sent = messages("given back", 80);
    fill(name, sent);
    Subscription subscription = consuming.subscribe(consuming.queue(name), 60);
    const Deliveries one = subscription.receive(1);
    EXPECT_EQ(subscription.settle(ack(one[0])), SWAPMQ_OK);
    subscription.unsubscribe();
    EXPECT_EQ(other.purge(other.queue(name)), sent.size() - 1) << "in round " << round;
  }
}

CONTRACT_TEST(Queues, PurgeOfNothing, "purge_queue()",
              "a purge of an empty queue removes 0 and leaves the queue usable") {
  NEEDS(purge);
  const std::string name = fresh_queue();
  Session session = admin();
  session.create(session.queue(name));
  EXPECT_EQ(session.purge(session.queue(name)), 0u);
  fill(name, message("usable"));
  EXPECT_EQ(drain(name, 1), std::vector<std::string>{"usable"});
}

CONTRACT_TEST(Queues, DeleteTakesAllAndTheHandleStaysUsable, "delete_queue()",
              "a delete takes all that the queue holds, what is unsettled is LOST then, and the "
              "handle stays usable") {
  const std::string name = fresh_queue();
  fill(name, messages("deleted", 5));
  Session session = consumer();
  swapmq_queue* queue = session.queue(name);
  Subscription subscription = session.subscribe(queue, 2);
  const Deliveries held = subscription.receive(2);
  session.remove(queue);
  EXPECT_EQ(session.stats(queue).exists, 0);
  fill(name, message("new"));
  EXPECT_EQ(drain(name, 1), std::vector<std::string>{"new"});
  EXPECT_EQ(session.stats(queue).exists, 1);
  EXPECT_EQ(subscription.settle(ack(held[0])), SWAPMQ_LOST);
}

CONTRACT_TEST(Queues, OpeningTwiceIsFine, "queue_open()",
              "the same name opened twice gives two handles of one queue") {
  const std::string name = fresh_queue();
  Session session = publisher();
  swapmq_queue* first = session.queue(name);
  swapmq_queue* second = session.queue(name);
  session.confirm(first, message("by the first"));
  session.confirm(second, message("by the second"));
  EXPECT_EQ(sorted(drain(name, 2)), (std::vector<std::string>{"by the first", "by the second"}));
}

/// Whether this backend says that it takes such a name.
bool possible(const std::string& name) {
  const char* alphabet = limits().queue_name_alphabet;
  const std::string_view allowed = alphabet == nullptr ? std::string_view() : alphabet;
  if (alphabet != nullptr && name.find_first_not_of(allowed) != std::string::npos) return false;
  if (name.find('\0') != std::string::npos) return false;
  const std::uint32_t most = limits().max_queue_name_bytes;
  return most == 0 || name.size() <= most;
}

/// Names that somebody may think are the same, or something else than a name.
std::vector<std::string> odd_names(const std::string& base) {
  std::vector<std::string> all{base,
                               base + "2",
                               base + " ",
                               base + ".",
                               base + "/",
                               base + "/..",
                               base + "*",
                               base + "?",
                               base + "%",
                               base + "_",
                               base + "'",
                               base + "\"",
                               base + "\\",
                               base + "\n",
                               base + "\x7f",
                               base + ";--",
                               base + "\x01",
                               base + "\xff",
                               base + "\xc3\xa4",
                               "../" + base,
                               base + ":" + base,
                               "{" + base + "}",
                               " " + base,
                               base + "\t"};
  std::string upper = base;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  all.push_back(upper);
  all.push_back(base.substr(0, base.size() - 1));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase_if(all, [](const std::string& name) { return !possible(name); });
  return all;
}

CONTRACT_TEST(Queues, AreKeptApart, "queue_open(); swapmq_limits.queue_name_alphabet",
              "names that differ in any byte are different queues") {
  const std::vector<std::string> names = odd_names(fresh_queue("apart"));
  Session session = publisher();
  for (const std::string& name : names) {
    forget_at_end(name);
    session.confirm(session.queue(name), message(name));
  }
  for (const std::string& name : names) expect_stats(name, 1, 0, 0);
  for (const std::string& name : names) {
    EXPECT_EQ(drain(name, 1), std::vector<std::string>{name});
  }
}

CONTRACT_TEST(Queues, NamesOfEveryLength, "swapmq_limits.max_queue_name_bytes",
              "names of every length up to the declared limit work") {
  const std::uint32_t most = limits().max_queue_name_bytes;
  const std::string base = fresh_queue("n");
  for (const std::size_t length : {base.size(), std::size_t{100}, std::size_t{255}}) {
    if ((most != 0 && length > most) || length < base.size()) continue;
    const std::string name = base + std::string(length - base.size(), base.back());
    SCOPED_TRACE(std::to_string(length) + " bytes");
    forget_at_end(name);
    fill(name, message("long"));
    EXPECT_EQ(drain(name, 1), std::vector<std::string>{"long"});
  }
}

struct Listing {
  std::vector<std::string> names;
  static void each(void* context, swapmq_bytes name) {
    static_cast<Listing*>(context)->names.emplace_back(view(name));
  }
};

CONTRACT_TEST(Queues, ListsEachOnceInByteOrder, "swapmq_list_queues.list",
              "every queue is listed once, in byte order of the names") {
  const auto* table = static_cast<const swapmq_list_queues*>(
      call("extension", [] { return vt().extension(SWAPMQ_EXTENSION_LIST_QUEUES); }));
  if (table == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_LIST_QUEUES);
  ASSERT_GE(table->struct_size, sizeof(swapmq_list_queues));
  std::vector<std::string> made;
  for (int i = 0; i < 20; ++i) made.push_back(fresh_queue(i % 2 == 0 ? "list" : "another"));
  const std::string odd = fresh_queue() + "\xff";
  if (possible(odd)) {
    made.push_back(odd);
    forget_at_end(odd);
  }
  Session session = admin();
  for (const std::string& name : made) session.create(session.queue(name));
  Listing listing;
  ErrorProbe probe;
  const auto try_list = [&] {
    listing.names.clear();
    const std::int64_t deadline = soon();
    return call("list", deadline, probe, [&](auto* error) {
      return table->list(session.raw(), &Listing::each, &listing, deadline, error);
    });
  };
  const auto list = [&] {
    require_ok("list", try_list(), probe);
    return listing.names;
  };
  // The power may depend on options.
  if (try_list() == SWAPMQ_NOT_SUPPORTED) NOT_PROMISED("lists of queues, with these options");
  std::vector<std::string> listed = list();
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end())) << "in byte order";
  EXPECT_EQ(std::adjacent_find(listed.begin(), listed.end()), listed.end()) << "each once";
  for (const std::string& name : made) EXPECT_EQ(std::count(listed.begin(), listed.end(), name), 1);
  session.remove(session.queue(made[3]));
  listed = list();
  EXPECT_EQ(std::count(listed.begin(), listed.end(), made[3]), 0) << "deleted";
}

CONTRACT_TEST(Queues, AnUnknownExtensionIsNull, "extension()",
              "an extension that is not known is NULL") {
  EXPECT_EQ(call("extension", [] { return vt().extension("swapmq.no_such_power/1"); }), nullptr);
  EXPECT_EQ(call("extension", [] { return vt().extension(""); }), nullptr);
  EXPECT_EQ(call("extension", [] { return vt().extension("swapmq.list_queues/99"); }), nullptr);
}

} // namespace
} // namespace swapmq::contract

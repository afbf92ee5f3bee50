// SPDX-License-Identifier: MIT
//
// How long things live, and what is left when they are gone.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <filesystem>
#include <optional>

#include "child.h"
#include "fixture.h"

namespace swapmq::contract {
namespace {

class Lifetime : public Contract {
 protected:
  static void expect_same(const Deliveries& held, std::span<const Message> sent) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      const Message got = copy(*held[i].message);
      const auto of = std::find_if(sent.begin(), sent.end(),
                                   [&](const Message& message) { return message.id == got.id; });
      ASSERT_NE(of, sent.end()) << "the id of a delivery changed";
      ASSERT_EQ(difference(*of, got), "") << "a delivery changed while its batch lives";
    }
  }

  static std::vector<Message> large(std::size_t count) {
    std::vector<Message> made;
    for (std::size_t i = 0; i < count; ++i) {
      made.push_back(message(pattern(5000, static_cast<unsigned>(i))));
      made.back().headers = {{"number", std::to_string(i)}, {"more", pattern(300)}};
      made.back().correlation_id = "c" + std::to_string(i);
    }
    return made;
  }
};

CONTRACT_TEST(
    Lifetime, ViewsOutliveTheirSettlement, "swapmq_batch",
    "what a batch shows stays as it is until its release, also after its deliveries are settled") {
  const std::string name = fresh_queue("views");
  const auto sent = large(20);
  fill(name, sent);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 40);
  const Deliveries held = subscription.receive(20);
  subscription.ack_all(held);
  expect_same(held, sent);
  const auto others = large(20); // other traffic over the same session
  fill(name, others);
  subscription.ack_all(subscription.receive(20));
  expect_same(held, sent);
}

CONTRACT_TEST(Lifetime, BatchesOutliveUnsubscribe, "swapmq_batch.release",
              "what a batch shows stays as it is until its release, also after unsubscribe") {
  const std::string name = fresh_queue("views");
  const auto sent = large(10);
  fill(name, sent);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 10);
  const Deliveries held = subscription.receive(10);
  subscription.unsubscribe();
  expect_same(held, sent);
}

CONTRACT_TEST(Lifetime, BatchesOutliveTheSession, "swapmq_batch.release",
              "what a batch shows stays as it is until its release, also after session_close") {
  const std::string name = fresh_queue("views");
  const auto sent = large(10);
  fill(name, sent);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 10);
  Deliveries held = subscription.receive(10);
  session.close();
  expect_same(held, sent);
  session = consumer(); // its memory may be used again
  drain(name, 10);
  expect_same(held, sent);
}

CONTRACT_TEST(Lifetime, BatchesOutliveTheBackend, "swapmq_batch.release",
              "what a batch shows stays as it is until its release, also after close") {
  const std::string name = fresh_queue("views");
  const auto sent = large(10);
  fill(name, sent);
  Deliveries held;
  {
    Backend own;
    Session session = own.session(SWAPMQ_ROLE_CONSUME);
    Subscription subscription = session.subscribe(session.queue(name), 10);
    held = subscription.receive(10);
    session.close();
    own.close();
  }
  expect_same(held, sent);
}

CONTRACT_TEST(
    Lifetime, BatchesAreReleasedOnAnyThread, "swapmq_batch.release",
    "a batch is released on any thread, also after unsubscribe, session_close and close") {
  const std::string name = fresh_queue("views");
  fill(name, large(30));
  Backend own;
  std::optional<Session> session(own.session(SWAPMQ_ROLE_CONSUME));
  std::optional<Subscription> subscription(session->subscribe(session->queue(name), 30));
  const auto release_elsewhere = [](std::vector<Batch> batches) {
    Crew crew;
    for (Batch& batch : batches) {
      crew.run([&batch] { batch.release(); });
    }
  };
  Deliveries one = subscription->receive(10);
  Deliveries two = subscription->receive(10);
  Deliveries three = subscription->receive(10);
  subscription->ack_all(one);
  subscription->ack_all(two);
  subscription->ack_all(three);
  release_elsewhere(one.take_batches()); // while it is used
  subscription.reset();
  release_elsewhere(two.take_batches()); // after unsubscribe
  session.reset();
  own.close();
  release_elsewhere(three.take_batches()); // after close
}

CONTRACT_TEST(Lifetime, ClosingWhileHoldingGivesBack, "session_close()",
              "what a session's subscriptions hold goes back when it is closed, as released") {
  const std::string name = fresh_queue("closing");
  const auto sent = messages("given back", 12);
  fill(name, sent);
  {
    Session session = consumer();
    Subscription subscription = session.subscribe(session.queue(name), 12);
    const Deliveries held = subscription.receive(7);
    session.close();
  }
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 12);
  const Deliveries again = subscription.receive(12);
  EXPECT_EQ(sorted(again.bodies()), sorted(bodies(sent)));
  for (const swapmq_delivery* delivery : again) {
    if (can().release != SWAPMQ_ABSENT) {
      EXPECT_EQ(delivery->delivery_count, 1u) << "not counted";
    }
  }
  subscription.ack_all(again);
}

std::size_t entries(const char* folder) {
  const auto all = std::filesystem::directory_iterator(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

CONTRACT_TEST(Lifetime, NothingLeaksInTwoHundredCycles, "session_close(); close()",
              "a closed session or backend leaves no descriptor and no thread behind") {
  const std::string name = fresh_queue("cycles");
  const auto cycle = [&](int i) {
    Backend own;
    Session session = own.session(SWAPMQ_ROLE_PUBLISH + i % 3);
    swapmq_queue* queue = session.queue(name);
    if (i % 3 == 0) session.confirm(queue, message("leaks?"));
    if (i % 3 == 1) {
      Subscription subscription = session.subscribe(queue, 4);
      const Batch batch = subscription.poll(1, milliseconds(5));
    }
    if (i % 3 == 2) session.stats(queue);
  };
  for (int i = 0; i < 6; ++i) cycle(i); // what is made once is made now
  const std::size_t descriptors = entries("/proc/self/fd");
  const std::size_t threads = entries("/proc/self/task");
  for (int i = 0; i < 200; ++i) cycle(i);
  EXPECT_TRUE(eventually([&] { return entries("/proc/self/fd") <= descriptors; }))
      << entries("/proc/self/fd") - descriptors << " descriptors are left";
  EXPECT_TRUE(eventually([&] { return entries("/proc/self/task") <= threads; }))
      << entries("/proc/self/task") - threads << " threads are left";
}

CONTRACT_TEST(Lifetime, ABackendOpensAgain, "open(); close()",
              "a backend can be opened again with the same options after it was closed") {
  const std::string name = fresh_queue("again");
  for (int i = 0; i < 3; ++i) {
    Backend own;
    Session session = own.session(SWAPMQ_ROLE_PUBLISH);
    session.confirm(session.queue(name), message("round " + std::to_string(i)));
  }
  EXPECT_EQ(drain(name, 3).size(), 3) << "one backend with these options stayed open meanwhile";
}

CONTRACT_TEST(
    Lifetime, AnUnloadablePluginLeavesNothing, "SWAPMQ_PLUGIN_UNLOADABLE",
    "a plugin that says it is unloadable leaves no mapping, thread or descriptor after dlclose") {
  const bool unloadable = SWAPMQ_HAS_FIELD(swapmq_plugin_info, vt().info, flags) &&
                          (vt().info->flags & SWAPMQ_PLUGIN_UNLOADABLE) != 0;
  if (!unloadable) NOT_PROMISED("SWAPMQ_PLUGIN_UNLOADABLE");
  Child child("unload", {kit().path, fresh_queue("unload")});
  EXPECT_EQ(child.expect_line(), "unloaded");
}

/// All that a plugin must leave alone of the process, in words.
std::vector<std::string> process_state() {
  std::vector<std::string> state;
  for (int number = 1; number < 65; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0) continue;
    state.push_back("handler of signal " + std::to_string(number) + ": " +
                    std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_handler)));
  }
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  std::string blocked = "blocked signals:";
  for (int number = 1; number < 65; ++number) {
    if (sigismember(&mask, number) == 1) blocked += " " + std::to_string(number);
  }
  state.push_back(blocked);
  const mode_t before = umask(0);
  umask(before);
  state.push_back("umask " + std::to_string(before));
  state.push_back("working directory " + std::filesystem::current_path().string());
  state.push_back(std::string("locale ") + std::setlocale(LC_ALL, nullptr));
  for (char** variable = environ; *variable != nullptr; ++variable) state.emplace_back(*variable);
  return state;
}

CONTRACT_TEST(Lifetime, LeavesTheProcessAsItWas,
              "Rules for every function: never changes process-wide state",
              "signal handlers and masks, umask, working directory, locale and environment stay as "
              "they are") {
  const std::string name = fresh_queue("state");
  const auto before = process_state();
  {
    Backend own;
    Session session = own.session(SWAPMQ_ROLE_CONSUME);
    Subscription subscription = session.subscribe(session.queue(name), 4);
    fill(name, message("used"));
    const Deliveries held = subscription.receive(1);
    EXPECT_EQ(process_state(), before) << "while it is open";
    subscription.ack_all(held);
  }
  EXPECT_EQ(process_state(), before) << "after it was closed";
}

/// Sends stdout and stderr to a file in memory while it lives.
class Overheard {
 public:
  Overheard() : file_(memfd_create("overheard", MFD_CLOEXEC)) {
    fflush(nullptr);
    for (int i = 0; i < 2; ++i) {
      saved_[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
      dup2(file_, i + 1);
    }
  }
  Overheard(const Overheard&) = delete;
  Overheard& operator=(const Overheard&) = delete;
  ~Overheard() {
    stop();
    close(file_);
  }
  std::string stop() {
    if (stopped_) return {};
    stopped_ = true;
    fflush(nullptr);
    for (int i = 0; i < 2; ++i) {
      dup2(saved_[i], i + 1);
      close(saved_[i]);
    }
    std::string text(4096, '\0');
    const ssize_t length = pread(file_, text.data(), text.size(), 0);
    text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return text;
  }

 private:
  int file_;
  int saved_[2] = {-1, -1};
  bool stopped_ = false;
};

CONTRACT_TEST(Lifetime, WritesNeitherToStdoutNorToStderr,
              "Rules for every function: never writes to stdout or stderr",
              "a plugin prints nothing, not even when a call fails") {
  const std::string name = fresh_queue("quiet");
  Overheard overheard;
  {
    Backend own;
    Session session = own.session(SWAPMQ_ROLE_CONSUME);
    swapmq_queue* queue = session.queue(name);
    Subscription subscription = session.subscribe(queue, 4);
    fill(name, message("used"));
    const Deliveries held = subscription.receive(1);
    subscription.settle(nack(held[0]));
    subscription.settle(ack(held[0]));
    session.stats(queue);
    swapmq_queue* none = nullptr;
    session.try_queue("", swapmq_queue_spec{sizeof(swapmq_queue_spec), 0, 0}, &none);
    session.remove(queue);
  }
  EXPECT_EQ(overheard.stop(), "");
}

} // namespace
} // namespace swapmq::contract

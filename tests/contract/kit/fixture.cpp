// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <algorithm>

#include "queue_name.h"

namespace swapmq::contract {

namespace {

/// How long to look for what should not come.
constexpr milliseconds kQuiet{60};

} // namespace

Contract::Contract() = default;
Contract::~Contract() = default;

std::string Contract::fresh_queue(std::string_view hint) {
  std::string name = fresh_queue_name(hint);
  names_.push_back(name);
  return name;
}

void Contract::TearDown() {
  if (names_.empty()) return;
  Session session = admin();
  for (const std::string& name : names_) session.remove(session.queue(name));
  session.close(); // the backend goes last, after the sessions that a fixture holds
}

void Contract::fill(const std::string& queue, std::span<const Message> messages) {
  Session session = publisher();
  session.confirm(session.queue(queue), messages);
}

std::vector<std::string> Contract::drain(const std::string& queue, std::size_t expected) {
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(queue), 500);
  std::vector<std::string> bodies;
  for (;;) {
    const milliseconds wait = bodies.size() < expected ? kit().options.patience : kQuiet;
    Deliveries some;
    some.add(subscription.poll(500, wait));
    if (some.empty()) return bodies;
    for (std::size_t i = 0; i < some.size(); ++i) bodies.push_back(some.body(i));
    subscription.ack_all(some);
  }
}

void Contract::expect_stats(const std::string& queue, std::uint64_t ready, std::uint64_t unacked,
                            std::uint64_t delayed) {
  Session session = admin();
  const swapmq_queue_stats stats = session.stats(session.queue(queue));
  if (stats.ready_precision == SWAPMQ_STAT_EXACT) {
    EXPECT_EQ(stats.ready, ready) << "ready";
  }
  if (stats.unacked_precision == SWAPMQ_STAT_EXACT) {
    EXPECT_EQ(stats.unacked, unacked) << "unacked";
  }
  if (stats.delayed_precision == SWAPMQ_STAT_EXACT) {
    EXPECT_EQ(stats.delayed, delayed) << "delayed";
  }
}

void Crew::run(std::function<void()> work) {
  threads_.emplace_back([work = std::move(work)] {
    try {
      work();
    } catch (const std::exception& failure) {
      ADD_FAILURE() << "on a thread: " << failure.what();
    }
  });
}

void Crew::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool eventually(const std::function<bool()>& condition) {
  const auto start = Clock::now();
  while (!condition()) {
    if (since(start) > kit().options.patience) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

std::vector<std::string> bodies(std::span<const Message> messages) {
  std::vector<std::string> texts;
  for (const Message& message : messages) texts.push_back(message.body);
  return texts;
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

} // namespace swapmq::contract

// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace swapmq::contract {

namespace {

/// How long to look for what should not come.
constexpr milliseconds kQuiet{60};

/// The number in letters of the backend's alphabet.
std::string spelled(std::uint64_t number, std::string_view alphabet) {
  std::string text;
  do {
    text += alphabet[number % alphabet.size()];
    number /= alphabet.size();
  } while (number > 0);
  return text;
}

std::string only(std::string_view text, std::string_view alphabet) {
  std::string kept;
  for (const char c : text) {
    if (alphabet.find(c) != std::string_view::npos) kept += c;
  }
  return kept;
}

} // namespace

Contract::Contract() = default;
Contract::~Contract() = default;

std::string Contract::fresh_queue(std::string_view hint) {
  static std::atomic<std::uint64_t> next{1};
  const char* allowed = limits().queue_name_alphabet;
  const std::string_view alphabet =
      allowed != nullptr ? allowed : "abcdefghijklmnopqrstuvwxyz0123456789-";
  const auto run = static_cast<std::uint64_t>(unix_now_ms()) * 1000 +
                   static_cast<std::uint64_t>(getpid()) % 1000;
  const std::string unique = spelled(run * 1000 + next++, alphabet);
  std::string name = only("kit-" + std::string(hint) + "-", alphabet) + unique;
  const std::size_t most = limits().max_queue_name_bytes;
  if (most != 0 && name.size() > most) name = unique.substr(0, most);
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

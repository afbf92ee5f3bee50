// SPDX-License-Identifier: MIT
//
// What every test has: an opened backend, queue names of its own, and queues that are gone
// afterwards.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness.h"
#include "rules.h"

namespace swapmq::contract {

class Contract : public ::testing::Test {
 protected:
  Contract();
  ~Contract() override;

  /// A queue name that nobody else has; `hint` is in it where the alphabet allows. The queue is
  /// deleted at the end.
  std::string fresh_queue(std::string_view hint = "q");
  /// A queue of that very name is deleted at the end.
  void forget_at_end(std::string name) { names_.push_back(std::move(name)); }

  Session publisher() { return backend_.session(SWAPMQ_ROLE_PUBLISH); }
  Session consumer() { return backend_.session(SWAPMQ_ROLE_CONSUME); }
  Session admin() { return backend_.session(SWAPMQ_ROLE_ADMIN); }
  Backend& backend() { return backend_; }

  /// Publishes to the queue with a session of its own.
  void fill(const std::string& queue, std::span<const Message> messages);
  void fill(const std::string& queue, const Message& message) { fill(queue, {&message, 1}); }
  /// What the queue still gives, acked, in order of delivery: waits with patience until as many as
  /// `expected` came, and shortly for more that should not.
  std::vector<std::string> drain(const std::string& queue, std::size_t expected);
  /// Sizes, as far as the backend calls them exact.
  void expect_stats(const std::string& queue, std::uint64_t ready, std::uint64_t unacked,
                    std::uint64_t delayed);

  void TearDown() override;

 private:
  Backend backend_;
  std::vector<std::string> names_;
};

/// Threads of a test. What one throws is a failure of the test; all are joined at the end.
class Crew {
 public:
  Crew() = default;
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() { join(); }

  void run(std::function<void()> work);
  void join();

 private:
  std::vector<std::thread> threads_;
};

/// Polls until `condition` holds; false if it never did while patience lasted.
bool eventually(const std::function<bool()>& condition);

/// The bodies of what was published.
std::vector<std::string> bodies(std::span<const Message> messages);
std::vector<std::string> sorted(std::vector<std::string> texts);

inline bool has_limit(std::uint64_t limit) { return limit != 0; }

} // namespace swapmq::contract

/// A test, and before it the rule that it checks: where <swapmq/backend.h> has it, and one sentence
/// for the author of a backend. No test is without one: TEST and TEST_F do not exist here.
#undef TEST
#undef TEST_F
#define CONTRACT_TEST(suite, name, where, rule)                                          \
  const ::swapmq::contract::RuleOf suite##_##name##_rule(#suite "." #name, where, rule); \
  GTEST_TEST_F(suite, name)

/// Ends a test of something that the backend declares it does not do.
#define NOT_PROMISED(what) GTEST_SKIP() << "not promised: " << (what)

/// A test that is about one declared power.
#define NEEDS(capability)                            \
  do {                                               \
    if (::swapmq::contract::can().capability == 0) { \
      NOT_PROMISED(#capability);                     \
    }                                                \
  } while (false)

#define NEEDS_AT_LEAST(capability, grade)                 \
  do {                                                    \
    if (::swapmq::contract::can().capability < (grade)) { \
      NOT_PROMISED(#capability " of at least " #grade);   \
    }                                                     \
  } while (false)

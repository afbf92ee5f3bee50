// SPDX-License-Identifier: MIT
//
// How fast a machine wakes threads that block: whoever publishes singly and waits for the broker's
// word is woken once a message, however fast the broker.
#include "ceiling.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <deque>
#include <optional>

#include "crew.h"

namespace bench {
namespace {

class Word {
 public:
  [[nodiscard]] std::uint32_t load() const { return word_.load(std::memory_order_acquire); }
  void change_and_wake(int threads) {
    word_.fetch_add(1, std::memory_order_acq_rel);
    syscall(SYS_futex, address(), FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
  }
  void sleep_while(std::uint32_t seen) {
    while (load() == seen) {
      syscall(SYS_futex, address(), FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
    }
  }

 private:
  std::uint32_t* address() { return reinterpret_cast<std::uint32_t*>(&word_); }

  alignas(64) std::atomic<std::uint32_t> word_{0};
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
};

/// Where threads meet: the last to come wakes all others, who sleep.
class Meeting {
 public:
  explicit Meeting(std::size_t threads) : threads_(threads) {}

  void join() {
    const std::uint32_t seen = round_.load();
    if (came_.fetch_add(1, std::memory_order_acq_rel) + 1 < threads_) {
      return round_.sleep_while(seen);
    }
    came_.store(0, std::memory_order_relaxed);
    round_.change_and_wake(INT_MAX);
  }

 private:
  const std::size_t threads_;
  alignas(64) std::atomic<std::size_t> came_{0};
  Word round_;
};

std::size_t rounds_of(const Task& task, std::size_t threads) {
  return (task.ids.size() - 1) / threads;
}

/// One call of the kernel wakes a whole group.
class Together final : public Contender {
 public:
  Together(std::size_t threads, std::size_t groups) : threads_(threads), groups_(groups) {}

  void prepare(const Task& task) override {
    crew_.reset();
    places_.clear();
    for (std::size_t i = 0; i < groups_; ++i) places_.emplace_back(threads_ / groups_);
    crew_.emplace(threads_, [this, rounds = rounds_of(task, threads_)](std::size_t number) {
      for (std::size_t i = 0; i < rounds; ++i) places_[number % groups_].join();
    });
  }
  void run(const Task& /*task*/) override { crew_->go(); }

 private:
  const std::size_t threads_, groups_;
  std::deque<Meeting> places_;
  std::optional<Crew> crew_;
};

/// Each is woken by itself, by its neighbour in a ring, and all others sleep meanwhile.
class Apart final : public Contender {
 public:
  explicit Apart(std::size_t threads) : threads_(threads) {}

  void prepare(const Task& task) override {
    crew_.reset();
    turns_.clear();
    turns_.resize(threads_);
    turns_.front().change_and_wake(0); // its turn has come
    crew_.emplace(threads_, [this, rounds = rounds_of(task, threads_)](std::size_t number) {
      for (std::uint32_t i = 0; i < rounds; ++i) {
        turns_[number].sleep_while(i);
        turns_[(number + 1) % threads_].change_and_wake(1);
      }
    });
  }
  void run(const Task& /*task*/) override { crew_->go(); }

 private:
  const std::size_t threads_;
  std::deque<Word> turns_;
  std::optional<Crew> crew_;
};

} // namespace

std::vector<RawVariant> woken_together(std::size_t threads) {
  std::vector<RawVariant> variants;
  for (const std::size_t groups : {1, 2, 4}) {
    variants.push_back({std::to_string(groups) + " groups",
                        [=] { return std::make_unique<Together>(threads, groups); }});
  }
  return variants;
}

std::vector<RawVariant> woken_apart(std::size_t threads) {
  return {{"a ring", [=] { return std::make_unique<Apart>(threads); }}};
}

} // namespace bench

// SPDX-License-Identifier: MIT
//
// How fast a machine wakes threads that block: whoever publishes singly and waits for the broker's
// word is woken once a message, however fast the broker.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <deque>
#include <optional>

#include "crew.h"
#include "raw.h"

namespace bench {
namespace {

/// Where threads meet: the last to come wakes the others, who sleep.
class Meeting {
 public:
  explicit Meeting(std::size_t threads) : threads_(static_cast<std::uint32_t>(threads)) {}

  void join() {
    const std::uint32_t seen = round_.load(std::memory_order_acquire);
    if (came_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      came_.store(0, std::memory_order_relaxed);
      round_.store(seen + 1, std::memory_order_release);
      syscall(SYS_futex, word(), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
      return;
    }
    while (round_.load(std::memory_order_acquire) == seen) {
      syscall(SYS_futex, word(), FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
    }
  }

 private:
  std::uint32_t* word() { return reinterpret_cast<std::uint32_t*>(&round_); }

  const std::uint32_t threads_;
  alignas(64) std::atomic<std::uint32_t> came_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
};

class Ceiling final : public Contender {
 public:
  Ceiling(std::size_t threads, std::size_t meetings) : threads_(threads), meetings_(meetings) {}

  void prepare(const Task& task) override {
    crew_.reset();
    places_.clear();
    for (std::size_t i = 0; i < meetings_; ++i) places_.emplace_back(threads_ / meetings_);
    const std::size_t rounds = (task.ids.size() - 1) / threads_;
    crew_.emplace(threads_, [this, rounds](std::size_t number) {
      Meeting& place = places_[number % meetings_];
      for (std::size_t i = 0; i < rounds; ++i) place.join();
    });
  }
  void run(const Task& /*task*/) override { crew_->go(); }

 private:
  const std::size_t threads_, meetings_;
  std::deque<Meeting> places_;
  std::optional<Crew> crew_;
};

} // namespace

std::vector<RawVariant> wake_up_ceiling(std::size_t threads) {
  std::vector<RawVariant> variants;
  for (const std::size_t meetings : {1, 2, 4}) {
    variants.push_back({std::to_string(meetings) + " groups",
                        [=] { return std::make_unique<Ceiling>(threads, meetings); }});
  }
  return variants;
}

} // namespace bench

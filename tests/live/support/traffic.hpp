// SPDX-License-Identifier: MIT
//
// Publishers and consumers at work on one queue while something breaks, with every id counted on
// both sides.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "deadline.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::live {

/// What became of the messages, each named by its number.
struct Tally {
  std::set<std::uint64_t> lost;              ///< confirmed and never consumed
  std::set<std::uint64_t> failed_yet_stored; ///< "certainly not stored", and consumed
  std::set<std::uint64_t> invented;          ///< consumed and never published
  std::set<std::uint64_t> twice;             ///< consumed more than once
  std::size_t confirmed = 0, in_doubt = 0, failed = 0, consumed = 0;
  std::map<std::uint64_t, Clock::time_point> confirmed_at; ///< as its publisher saw it
  std::map<std::uint64_t, Clock::time_point> consumed_at;  ///< for the first time
  std::set<std::string> errors; ///< of publishes, the first hundred different ones
};

class Traffic {
 public:
  struct Shape {
    int publishers = 2;
    int batch = 16; ///< messages of one call
    milliseconds publish_timeout{20'000};
    std::size_t most_waiting = 2000; ///< confirmed and not consumed: then publishers pause
    std::size_t body = 64;
  };

  /// From the texts of configs. Runs until finish() or its end. Throws swapmq::Exception where a
  /// side cannot be opened.
  Traffic(const std::string& publishing, const std::string& consuming, const Shape& shape);
  Traffic(const std::string& both, const Shape& shape) : Traffic(both, both, shape) {}
  explicit Traffic(const std::string& both) : Traffic(both, Shape{}) {}
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  /// Awaits that so many more are confirmed and consumed from now on; whether they were.
  bool flows(std::size_t messages = 100, milliseconds timeout = milliseconds(15'000));
  /// Awaits that a publish was not confirmed since the last time. Publishers that pause go on.
  bool fails(milliseconds timeout = milliseconds(15'000));
  /// What is confirmed and not yet consumed may be lost: publishers do not await it.
  void write_off();
  /// Messages from this number on are published after this call.
  [[nodiscard]] std::uint64_t next_number() const { return next_; }
  /// Ends publishing, awaits that all that was confirmed is consumed, or that nothing more is for a
  /// while, and counts; what has a number below `first` is not looked for.
  Tally finish(std::uint64_t first = 0);

  [[nodiscard]] MessageQueue& publishing() { return publishing_; }
  [[nodiscard]] MessageQueue& consuming() { return consuming_; }

 private:
  struct Published {
    Outcome outcome = Outcome::failed;
    Clock::time_point at{};
  };
  struct Consumed {
    int times = 0;
    Clock::time_point first{};
  };

  void publish_on();
  void publish_batch();
  bool may_publish();
  Decision note_consumed(const Delivery& delivery);
  void stop_publishers();
  [[nodiscard]] Tally tally(std::uint64_t first) const;
  [[nodiscard]] std::uint64_t first_missing(std::uint64_t from) const;

  const Shape shape_;
  std::atomic<std::uint64_t> next_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Published> published_; // behind mutex_, as are those that follow
  std::map<std::uint64_t, Consumed> consumed_;
  std::size_t confirmed_ = 0, unconfirmed_ = 0, waiting_ = 0, last_unconfirmed_ = 0,
              written_off_ = 0;
  std::set<std::string> errors_;
  bool stop_ = false;

  MessageQueue publishing_, consuming_;
  std::optional<Consumer> consumer_;
  std::vector<std::thread> publishers_;
};

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
//
// Counters, gauges and latency histograms that cost a relaxed atomic addition. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace swapmq::metrics {

class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// How much there is now: as much as is held.
class Gauge {
 public:
  class Hold {
   public:
    Hold() = default;
    explicit Hold(Gauge& gauge, std::int64_t amount = 1) : gauge_(&gauge), amount_(amount) {
      gauge.value_.fetch_add(amount, std::memory_order_relaxed);
    }
    Hold(Hold&& other) noexcept
        : gauge_(std::exchange(other.gauge_, nullptr)), amount_(other.amount_) {}
    Hold& operator=(Hold other) noexcept {
      std::swap(gauge_, other.gauge_);
      std::swap(amount_, other.amount_);
      return *this;
    }
    ~Hold() {
      if (gauge_ != nullptr) gauge_->value_.fetch_sub(amount_, std::memory_order_relaxed);
    }

   private:
    Gauge* gauge_ = nullptr;
    std::int64_t amount_ = 0;
  };

  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Buckets double from 1 microsecond to about 67 seconds; what is longer falls in the last one.
class Histogram {
 public:
  static constexpr std::size_t bucket_count = 28;

  void observe(std::chrono::nanoseconds duration, std::uint64_t times = 1) {
    const auto ns = static_cast<std::uint64_t>(duration.count() > 0 ? duration.count() : 0);
    const auto us = (ns + 999) / 1000;
    const auto index = us <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(us - 1));
    buckets_[index < bucket_count ? index : bucket_count - 1].fetch_add(times,
                                                                        std::memory_order_relaxed);
    sum_ns_.fetch_add(ns * times, std::memory_order_relaxed);
  }

  /// The upper bound of a bucket in seconds; the last bucket has none.
  static constexpr double upper_bound_seconds(std::size_t index) {
    return static_cast<double>(std::uint64_t{1} << index) * 1e-6;
  }
  [[nodiscard]] std::uint64_t in_bucket(std::size_t index) const {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double sum_seconds() const {
    return static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) * 1e-9;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

} // namespace swapmq::metrics

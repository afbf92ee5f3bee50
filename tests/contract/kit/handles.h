// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "harness.h"

namespace swapmq::contract {

struct SessionHandle {
  swapmq_session* raw = nullptr; ///< NULL once closed
};

/// A host's services that notice when they are used too late.
class LentHost {
 public:
  LentHost();
  LentHost(const LentHost&) = delete;
  LentHost& operator=(const LentHost&) = delete;

  [[nodiscard]] const swapmq_host& host() const { return host_; }
  void take_back() { lent_ = false; }
  [[nodiscard]] std::uint64_t late_calls() const { return late_; }

 private:
  static std::int32_t log_enabled(void* context, std::int32_t level);
  static void log(void* context, std::int32_t level, swapmq_bytes line);
  static void count(void* context, const char* name, std::uint64_t amount);
  void used();

  swapmq_host host_{};
  std::atomic<bool> lent_{true};
  std::atomic<std::uint64_t> late_{0};
};

} // namespace swapmq::contract

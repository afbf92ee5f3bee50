// SPDX-License-Identifier: MIT
//
// How the kit calls into a plugin: under the watchdog, and with an error whose use is checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "plugin.h"
#include "watchdog.h"

namespace swapmq::contract {

using Clock = std::chrono::steady_clock;

/// `wait` from now, as the ABI wants it.
inline std::int64_t in(milliseconds wait) {
  return std::chrono::nanoseconds((Clock::now() + wait).time_since_epoch()).count();
}
inline Clock::time_point at(std::int64_t deadline_ns) {
  return Clock::time_point(std::chrono::nanoseconds(deadline_ns));
}
inline milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}
/// Long enough for any call that has work to do.
inline std::int64_t soon() { return in(kit().options.patience); }

const char* status_name(swapmq_status status);

/// An error as a host passes it, with guarded memory for the text.
class ErrorProbe {
 public:
  explicit ErrorProbe(std::uint32_t capacity = 240, bool with_memory = true);

  swapmq_error* get() { return &error_; }
  /// Reports what breaks the rules for errors and statuses as a failure of the test.
  void check(const char* call, swapmq_status status);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const swapmq_error& error() const { return error_; }

 private:
  void check_text(const std::string& call);

  std::uint32_t capacity_;
  std::vector<char> memory_;
  swapmq_error error_{};
};

/// A call with a status: watched, its error checked.
template <class F>
swapmq_status call(const char* name, std::int64_t deadline_ns, ErrorProbe& probe, F&& function) {
  swapmq_status status;
  {
    const Watchdog::Call watched(name, at(deadline_ns));
    status = std::forward<F>(function)(probe.get());
  }
  probe.check(name, status);
  return status;
}

/// A call without a status, which returns at once.
template <class F>
auto call(const char* name, F&& function) {
  const Watchdog::Call watched(name, Clock::now());
  return std::forward<F>(function)();
}

/// Throws Breach unless the status is OK.
void require_ok(const char* call, swapmq_status status, const ErrorProbe& probe);

} // namespace swapmq::contract

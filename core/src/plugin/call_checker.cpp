// SPDX-License-Identifier: MIT
#include "plugin/call_checker.h"

#include <algorithm>
#include <cstdlib>
#include <exception>

namespace swapmq::plugin {
namespace {

std::atomic<bool>& setting() {
  static std::atomic<bool> on = [] {
    const char* value = ::secure_getenv("SWAPMQ_CHECK_PLUGIN_CALLS");
    return value != nullptr && std::string_view(value) == "1";
  }();
  return on;
}

std::string milliseconds_text(std::chrono::steady_clock::duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return std::to_string(ms) + " ms";
}

} // namespace

void check_plugin_calls(bool on) { setting().store(on, std::memory_order_relaxed); }

bool plugin_calls_are_checked() { return setting().load(std::memory_order_relaxed); }

void CallChecker::Scope::begin(const char* slot, const Deadline* deadline, Threads threads) {
  slot_ = slot;
  began_ = std::chrono::steady_clock::now();
  may_block_ = deadline != nullptr;
  // A deadline in the past means "without waiting", which takes its time, too.
  allowed_ = may_block_ ? std::max(began_, *deadline) : began_;
  if (threads == Threads::any) return;
  const char* other = nullptr;
  exclusive_ = checker_->running_.compare_exchange_strong(other, slot_);
  if (!exclusive_) {
    checker_->report(std::string(slot_) + " began while " + other +
                     " of the same session had not ended");
  }
}

void CallChecker::Scope::end() noexcept {
  if (exclusive_) checker_->running_.store(nullptr);
  const auto late = std::chrono::steady_clock::now() - allowed_;
  if (late <= (may_block_ ? kOverrun : kBlocked)) return;
  try {
    checker_->report(std::string(slot_) +
                     (may_block_ ? " ended " + milliseconds_text(late) + " after its deadline"
                                 : " took " + milliseconds_text(late) + ", but may not block"));
  } catch (const std::exception&) {
    checker_->report("a call took too long (out of memory for the text)");
  }
}

void CallChecker::report(std::string_view finding) noexcept {
  sink_.count("plugin_call_findings", 1);
  try {
    sink_.log(SWAPMQ_LOG_ERROR, plugin_ + ": call check: " + std::string(finding));
  } catch (const std::exception&) {
    sink_.log(SWAPMQ_LOG_ERROR, finding);
  }
}

} // namespace swapmq::plugin

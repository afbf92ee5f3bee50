// SPDX-License-Identifier: MIT
#include "probe.h"

#include <gtest/gtest.h>

#include <array>

#include "breach.h"

namespace swapmq::contract {

namespace {
constexpr char kGuard = '\x5C';
constexpr std::size_t kGuardBytes = 64;
} // namespace

const char* status_name(swapmq_status status) {
  constexpr std::array<const char*, SWAPMQ_STATUS_COUNT> kNames = {
      "OK",        "INVALID_ARGUMENT", "NOT_SUPPORTED",
      "NOT_FOUND", "CONFLICT",         "UNAVAILABLE",
      "TIMEOUT",   "INTERRUPTED",      "RESOURCE_EXHAUSTED",
      "TOO_LARGE", "ACCESS_DENIED",    "CORRUPT",
      "LOST",      "INTERNAL"};
  if (status == SWAPMQ_STATUS_UNTOUCHED) return "UNTOUCHED";
  if (status == SWAPMQ_STATUS_PENDING) return "PENDING";
  if (status < 0 || status >= SWAPMQ_STATUS_COUNT) return "a status that does not exist";
  return kNames[static_cast<std::size_t>(status)];
}

ErrorProbe::ErrorProbe(std::uint32_t capacity, bool with_memory)
    : capacity_(capacity), memory_(capacity + kGuardBytes, kGuard) {
  error_.struct_size = sizeof error_;
  error_.message_capacity = with_memory ? capacity : 0;
  error_.message = with_memory ? memory_.data() : nullptr;
}

void ErrorProbe::check(const char* name, swapmq_status status) {
  const std::string call = std::string(name) + "()";
  if (status < 0 || status >= SWAPMQ_STATUS_COUNT) {
    ADD_FAILURE() << call << " returned " << status << ", which is no status";
    return;
  }
  for (std::size_t i = capacity_; i < memory_.size(); ++i) {
    if (memory_[i] == kGuard) continue;
    ADD_FAILURE() << call << " wrote its error beyond message_capacity (" << capacity_ << ")";
    memory_[i] = kGuard;
    return;
  }
  if (error_.struct_size != sizeof error_ || error_.message_capacity > capacity_) {
    ADD_FAILURE() << call << " changed what the caller set in the error";
    return;
  }
  if (status == SWAPMQ_OK || status == SWAPMQ_INTERRUPTED) return;
  EXPECT_EQ(error_.status, status) << call << ": error.status is not the returned status";
  check_text(call);
}

void ErrorProbe::check_text(const std::string& call) {
  if (error_.message == nullptr || error_.message_capacity == 0) {
    EXPECT_EQ(error_.message_length, 0u) << call << ": a message_length without memory for it";
    return;
  }
  if (error_.message_length >= error_.message_capacity) {
    ADD_FAILURE() << call << ": message_length " << error_.message_length
                  << " leaves no room for the terminator in " << error_.message_capacity;
    return;
  }
  EXPECT_EQ(memory_[error_.message_length], '\0') << call << ": the error is not terminated";
  EXPECT_EQ(text().find_first_of(std::string("\n\r\0", 3)), std::string::npos)
      << call << ": the error is not one line: " << text();
  if (error_.message_capacity > 1) {
    EXPECT_GT(error_.message_length, 0u) << call << ": failed without saying why";
  }
}

std::string ErrorProbe::text() const {
  if (error_.message_length >= capacity_ || error_.message == nullptr) return {};
  return {memory_.data(), error_.message_length};
}

void require_ok(const char* call, swapmq_status status, const ErrorProbe& probe) {
  if (status == SWAPMQ_OK) return;
  throw Breach(std::string(call) + "() returned " + status_name(status) + ": " + probe.text());
}

} // namespace swapmq::contract

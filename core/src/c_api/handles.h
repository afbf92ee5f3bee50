// SPDX-License-Identifier: MIT
//
// What the opaque types of swapmq.h are, and how errors leave.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "swapmq/swapmq.h"
#include "swapmq/swapmq.hpp"

struct swapmq_mq {
  swapmq::MessageQueue queue;
};

struct swapmq_mq_delivery {
  swapmq::Delivery delivery;
};

struct swapmq_mq_consumer {
  swapmq::Consumer consumer;
};

struct swapmq_mq_subscription {
  swapmq::Subscription subscription;
};

namespace swapmq::c_api {

// What the header gives numbers to has the same ones here.
static_assert(static_cast<int>(Errc::closed) == SWAPMQ_MQ_CLOSED);
static_assert(static_cast<int>(Errc::timeout) == SWAPMQ_MQ_TIMEOUT);
static_assert(static_cast<int>(Errc::lost) == SWAPMQ_MQ_LOST);
static_assert(static_cast<int>(Errc::config) == SWAPMQ_MQ_CONFIG);
static_assert(static_cast<int>(Outcome::failed) == SWAPMQ_MQ_FAILED);
static_assert(static_cast<int>(Outcome::in_doubt) == SWAPMQ_MQ_IN_DOUBT);
static_assert(static_cast<int>(SwitchPhase::retired) == SWAPMQ_MQ_PHASE_RETIRED);
static_assert(static_cast<int>(SwitchPhase::refused) == SWAPMQ_MQ_PHASE_REFUSED);

/// The caller's buffer for a line of text.
struct Text {
  char* data;
  std::size_t size;

  void set(std::string_view text) const {
    if (data == nullptr || size == 0) return;
    std::size_t length = std::min(text.size(), size - 1);
    // Not in the middle of a character of UTF-8.
    while (length > 0 && length < text.size() &&
           (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
      --length;
    }
    std::memcpy(data, text.data(), length);
    data[length] = '\0';
  }
};

/// Its status, its text in the buffer.
inline std::int32_t leave(const Error& error, const Text& text) {
  text.set(error.message());
  return static_cast<std::int32_t>(error.code());
}

inline std::int32_t refuse(std::string_view why, const Text& text) {
  text.set(why);
  return SWAPMQ_MQ_INVALID_ARGUMENT;
}

/// Calls it, and no exception leaves.
template <class Call>
std::int32_t guarded(const Text& text, const Call& call) noexcept {
  try {
    return call();
  } catch (const Exception& problem) {
    return leave(problem.error(), text);
  } catch (const std::bad_alloc&) {
    text.set("out of memory");
    return SWAPMQ_MQ_RESOURCE_EXHAUSTED;
  } catch (const std::exception& problem) {
    text.set(problem.what());
    return SWAPMQ_MQ_INTERNAL;
  } catch (...) {
    text.set("an exception of no known type");
    return SWAPMQ_MQ_INTERNAL;
  }
}

/// NULL is empty.
inline std::string_view view(const char* text) {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

inline std::string_view view(const void* data, std::size_t size) {
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), size};
}

inline milliseconds wait_of(std::int64_t timeout_ms) {
  return milliseconds(std::max<std::int64_t>(timeout_ms, 0));
}

/// As much of the caller's struct as it has, the rest as it is by default. False: it has less than
/// the size itself.
template <class Struct>
bool take_struct(const Struct* from, Struct& to) {
  if (from == nullptr) return true;
  if (from->struct_size < sizeof from->struct_size) return false;
  std::memcpy(&to, from, std::min(from->struct_size, sizeof to));
  return true;
}

} // namespace swapmq::c_api

// SPDX-License-Identifier: MIT
#include "queue/status.h"

#include <string>

namespace swapmq {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::ok:
      return "ok";
    case Errc::invalid_argument:
      return "invalid argument";
    case Errc::not_supported:
      return "not supported";
    case Errc::not_found:
      return "not found";
    case Errc::conflict:
      return "conflict";
    case Errc::unavailable:
      return "unavailable";
    case Errc::timeout:
      return "timeout";
    case Errc::interrupted:
      return "interrupted";
    case Errc::resource_exhausted:
      return "resource exhausted";
    case Errc::too_large:
      return "too large";
    case Errc::access_denied:
      return "access denied";
    case Errc::corrupt:
      return "corrupt";
    case Errc::lost:
      return "lost";
    case Errc::internal:
      return "internal error";
    case Errc::config:
      return "wrong configuration";
    case Errc::plugin:
      return "unusable plugin";
    case Errc::closed:
      return "closed";
  }
  return "unknown error";
}

std::string_view to_string(BacklogPolicy policy) {
  switch (policy) {
    case BacklogPolicy::drain:
      return "drain";
    case BacklogPolicy::transfer:
      return "transfer";
    case BacklogPolicy::leave:
      return "leave";
  }
  return "unknown";
}

std::string_view to_string(SwitchOrder order) {
  return order == SwitchOrder::strict ? "strict" : "relaxed";
}

std::string_view to_string(SwitchPhase phase) {
  switch (phase) {
    case SwitchPhase::none:
      return "none";
    case SwitchPhase::prepare:
      return "prepare";
    case SwitchPhase::cut_over:
      return "cut over";
    case SwitchPhase::drain:
      return "drain";
    case SwitchPhase::retired:
      return "retired";
    case SwitchPhase::failed:
      return "failed";
    case SwitchPhase::cancelled:
      return "cancelled";
    case SwitchPhase::refused:
      return "refused";
  }
  return "unknown";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::confirmed:
      return "confirmed";
    case Outcome::failed:
      return "failed";
    case Outcome::in_doubt:
      return "in doubt";
  }
  return "unknown outcome";
}

Exception::Exception(Error error) : std::runtime_error(error.message()), error_(std::move(error)) {}
Exception::~Exception() = default;

} // namespace swapmq

namespace swapmq::queue {

bool worth_retrying(Errc code) {
  return code == Errc::unavailable || code == Errc::timeout || code == Errc::interrupted;
}

namespace {

Error wrong(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

Error lacking(const plugin::Backend& backend, const char* what) {
  return {Errc::not_supported, "the backend " + backend.plugin().description().name +
                                   " cannot keep " + what + "; publish without it"};
}

} // namespace

Error check_message(const Message& message, const plugin::Backend& backend) {
  if (message.id.size() > 255) return wrong("a message id is longer than 255 bytes");
  for (const Header& header : message.headers) {
    if (header.name.empty() || header.name.size() > 255) {
      return wrong("a header's name is not 1 to 255 bytes");
    }
  }
  if (message.priority > 9) return wrong("a priority is above 9");
  if (message.delay.count() < 0 || message.ttl.count() < 0) {
    return wrong("a delay or ttl is negative");
  }
  const swapmq_capabilities& can = backend.capabilities();
  if (message.delay.count() > 0) {
    if (can.delayed_publish == SWAPMQ_ABSENT) return lacking(backend, "a delay");
    const std::int64_t longest = backend.limits().max_delay_ms;
    if (longest > 0 && message.delay.count() > longest) {
      return {Errc::too_large,
              "a delay is longer than the backend's " + std::to_string(longest) + " ms"};
    }
  }
  if (message.ttl.count() > 0 && can.ttl == SWAPMQ_ABSENT) return lacking(backend, "a ttl");
  if (message.priority > 0 && can.priority == SWAPMQ_ABSENT) return lacking(backend, "a priority");
  return {};
}

} // namespace swapmq::queue

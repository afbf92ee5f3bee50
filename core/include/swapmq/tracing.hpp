// SPDX-License-Identifier: MIT
//
// Hooks for tracing, with W3C Trace Context (https://www.w3.org/TR/trace-context/) in the headers
// "traceparent" and "tracestate" of messages: they survive switches, retries, dead-lettering and
// redriving as all headers do. Any tracing library fits behind a Tracer; pass_traces_on() needs
// none.
//
//   mq.set_tracer(swapmq::pass_traces_on());
//
// Threads, blocking: said of each hook. Ownership: the message queue shares the tracer, and owns
// the spans that it makes. Errors: hooks must not throw.
#ifndef SWAPMQ_TRACING_HPP
#define SWAPMQ_TRACING_HPP

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "swapmq/swapmq.hpp"

namespace swapmq {

inline constexpr std::string_view traceparent_header = "traceparent";
inline constexpr std::string_view tracestate_header = "tracestate";

/// What "traceparent" holds: which trace, and which span of it is the parent.
struct SWAPMQ_API TraceParent {
  std::array<std::uint8_t, 16> trace_id{}; ///< not all 0
  std::array<std::uint8_t, 8> parent_id{}; ///< not all 0
  std::uint8_t flags = 0;                  ///< 1: sampled

  /// None: it is not valid (W3C Trace Context, 3.2.2); of a version to come the known part is read.
  static std::optional<TraceParent> parse(std::string_view text);
  /// A trace of its own, or another span of this one: the new ids are random.
  static TraceParent make(bool sampled);
  [[nodiscard]] TraceParent child() const;
  /// 55 characters, version 00.
  [[nodiscard]] std::string text() const;

  bool operator==(const TraceParent&) const = default;
};

/// From before a message is published until its outcome is known.
class SWAPMQ_API PublishSpan {
 public:
  virtual ~PublishSpan();
  /// What goes with the message, unless it has a "traceparent" of its own; empty: nothing. Asked
  /// once, on the publisher's thread, before the message is sent.
  virtual std::string traceparent() = 0;
  virtual std::string tracestate(); ///< asked after it, unless that was empty; none
  /// On the thread that learns it (of publish_async: the library's publisher thread). Must not
  /// block.
  virtual void ended(const Sent& sent) = 0;
};

/// While a handler has a delivery.
class SWAPMQ_API HandleSpan {
 public:
  virtual ~HandleSpan();
  /// On the handler's thread, before the decision is carried out. Must not block. A handler that
  /// threw has decided nack.
  virtual void ended(const Decision& decision) = 0;
};

class SWAPMQ_API Tracer {
 public:
  virtual ~Tracer();
  /// Null: not traced. On the publisher's thread, concurrently for several; must not block. The
  /// message is borrowed for the call.
  virtual std::unique_ptr<PublishSpan> publishing(std::string_view queue,
                                                  const Message& message) = 0;
  /// Null: not traced. On the handler's thread, before the handler runs there.
  virtual std::unique_ptr<HandleSpan> handling(const Delivery& delivery) = 0;
};

/// A tracer that records nothing and keeps traces whole: what a handler publishes on its thread
/// belongs, as a child, to the trace of the delivery that it handles; tracestate goes on as it is.
/// What is published elsewhere stays as it is.
SWAPMQ_API std::shared_ptr<Tracer> pass_traces_on();

} // namespace swapmq

#endif

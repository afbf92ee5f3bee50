// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "swapmq/tracing.hpp"

namespace swapmq::queue {

/// Messages on their way with their spans; without a tracer just the messages. Borrows what they
/// refer to.
class Traced {
 public:
  /// `tracer` may be null.
  Traced(Tracer* tracer, std::string_view queue, std::span<const Message> messages);

  /// With the headers of their spans. As long as this lives.
  [[nodiscard]] std::span<const Message> messages() const { return messages_; }
  void ended(std::size_t i, const Sent& sent) const {
    if (!traced_.empty() && traced_[i].span != nullptr) traced_[i].span->ended(sent);
  }

 private:
  struct One {
    std::unique_ptr<PublishSpan> span;
    std::string parent, state;
    std::vector<Header> headers;
  };
  void add_headers(One& one, Message& message) const;

  std::vector<One> traced_; ///< empty: without a tracer
  std::vector<Message> copies_;
  std::span<const Message> messages_;
};

} // namespace swapmq::queue

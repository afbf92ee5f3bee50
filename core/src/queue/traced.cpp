// SPDX-License-Identifier: MIT
#include "queue/traced.h"

#include <algorithm>
#include <utility>

namespace swapmq {

PublishSpan::~PublishSpan() = default;
std::string PublishSpan::tracestate() { return {}; }
HandleSpan::~HandleSpan() = default;
Tracer::~Tracer() = default;

namespace queue {

Traced::Traced(Tracer* tracer, std::string_view queue, std::span<const Message> messages)
    : messages_(messages) {
  if (tracer == nullptr) return;
  traced_.resize(messages.size()); // never again: the headers refer to what is in them
  copies_.assign(messages.begin(), messages.end());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    traced_[i].span = tracer->publishing(queue, messages[i]);
    if (traced_[i].span != nullptr) add_headers(traced_[i], copies_[i]);
  }
  messages_ = copies_;
}

void Traced::add_headers(One& one, Message& message) const {
  const auto is_parent = [](const Header& header) { return header.name == traceparent_header; };
  if (std::any_of(message.headers.begin(), message.headers.end(), is_parent)) return;
  one.parent = one.span->traceparent();
  if (one.parent.empty()) return;
  one.state = one.span->tracestate();
  one.headers.assign(message.headers.begin(), message.headers.end());
  one.headers.push_back({traceparent_header, one.parent});
  if (!one.state.empty()) one.headers.push_back({tracestate_header, one.state});
  message.headers = one.headers;
}

} // namespace queue
} // namespace swapmq

// SPDX-License-Identifier: MIT
#include "message_encoder.hpp"

#include <algorithm>
#include <charconv>

#include "header_names.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::view;

constexpr uint16_t kBasicClass = 60;
constexpr uint8_t kPersistent = 2;

constexpr char kLongString = 'S';
constexpr char kInt64 = 'l';

bool is_long(const swapmq_bytes& text) { return text.size > kMaxShortString; }

/// Writes the content header frame of one message.
class HeaderWriter {
 public:
  HeaderWriter(Output& out, const swapmq_message& message, const Returned& returned)
      : out_(out), message_(message), returned_(returned), headers_(backend::headers_of(message)) {}

  void write(uint16_t channel, bool moved_later) {
    const std::size_t begun = out_.begin_frame(kHeaderFrame, channel);
    out_.u16(kBasicClass).u16(0).u64(message_.body.size);
    const std::string expiration = expiration_text(moved_later);
    out_.u16(flags(!expiration.empty()));
    // In the order of their flags.
    if (has_content_type()) out_.short_string(view(message_.content_type));
    write_headers(moved_later);
    out_.u8(kPersistent);
    if (message_.priority != 0) out_.u8(static_cast<uint8_t>(message_.priority));
    if (has_correlation_id()) out_.short_string(view(message_.correlation_id));
    if (has_reply_to()) out_.short_string(view(message_.reply_to));
    if (!expiration.empty()) out_.short_string(expiration);
    out_.short_string(view(message_.id));
    out_.u64(static_cast<uint64_t>(std::max<int64_t>(message_.timestamp_ms, 0) / 1000));
    out_.end_frame(begun);
  }

 private:
  static bool fits(const swapmq_bytes& text) { return text.size > 0 && !is_long(text); }
  [[nodiscard]] bool has_content_type() const { return fits(message_.content_type); }
  [[nodiscard]] bool has_correlation_id() const { return fits(message_.correlation_id); }
  [[nodiscard]] bool has_reply_to() const { return fits(message_.reply_to); }

  [[nodiscard]] uint16_t flags(bool expires) const {
    unsigned flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                     AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
    if (has_content_type()) flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
    if (message_.priority != 0) flags |= AMQP_BASIC_PRIORITY_FLAG;
    if (has_correlation_id()) flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
    if (has_reply_to()) flags |= AMQP_BASIC_REPLY_TO_FLAG;
    if (expires) flags |= AMQP_BASIC_EXPIRATION_FLAG;
    return static_cast<uint16_t>(flags);
  }

  /// In a delay queue it would let the message go before its time.
  [[nodiscard]] std::string expiration_text(bool moved_later) const {
    if (message_.expires_at_ms == 0 || moved_later) return {};
    const int64_t left = message_.expires_at_ms - backend::unix_now_ms();
    if (left > static_cast<int64_t>(kMaxExpiration_ms)) return {}; // consumers look, too
    return std::to_string(std::max<int64_t>(left, 0));
  }

  void write_headers(bool moved_later) {
    const std::size_t at = out_.size();
    out_.u32(0);
    number(kTimestampHeader, message_.timestamp_ms);
    if (message_.first_published_ms != 0)
      number(kFirstPublishedHeader, message_.first_published_ms);
    if (message_.due_at_ms != 0) number(kDueAtHeader, message_.due_at_ms);
    if (message_.expires_at_ms != 0) number(kExpiresAtHeader, message_.expires_at_ms);
    if (message_.delivery_count != 0) number(kDeliveryCountHeader, message_.delivery_count);
    if (returned_.nacks != 0) number(kNacksHeader, returned_.nacks);
    if (returned_.not_before_ms != 0) number(kNotBeforeHeader, returned_.not_before_ms);
    if (message_.ordering_key.size > 0) text(kOrderingKeyHeader, view(message_.ordering_key));
    if (is_long(message_.correlation_id)) text(kCorrelationIdHeader, view(message_.correlation_id));
    if (is_long(message_.reply_to)) text(kReplyToHeader, view(message_.reply_to));
    if (is_long(message_.content_type)) text(kContentTypeHeader, view(message_.content_type));
    for (std::size_t i = 0; i < headers_.size(); ++i) user_header(i);
    if (moved_later && headers_.size() > 1) write_order();
    out_.set_u32(at, static_cast<uint32_t>(out_.size() - at - 4));
  }

  void number(std::string_view name, int64_t value) {
    out_.short_string(name).u8(static_cast<uint8_t>(kInt64)).u64(static_cast<uint64_t>(value));
  }
  void text(std::string_view name, std::string_view value) {
    out_.short_string(name).u8(static_cast<uint8_t>(kLongString)).long_string(value);
  }

  static bool must_be_escaped(std::string_view name) {
    return name.starts_with(kOwnHeader) || is_the_brokers(name);
  }
  static std::string escaped(std::size_t i) {
    return std::string(kEscapedHeader) + std::to_string(i);
  }

  void user_header(std::size_t i) {
    const std::string_view name = view(headers_[i].name);
    const std::string_view value = view(headers_[i].value);
    if (!must_be_escaped(name)) return text(name, value);
    out_.short_string(escaped(i)).u8(static_cast<uint8_t>(kLongString));
    out_.u32(static_cast<uint32_t>(1 + name.size() + value.size())).short_string(name).raw(value);
  }

  void write_order() {
    out_.short_string(kHeaderOrderHeader).u8(static_cast<uint8_t>(kLongString));
    const std::size_t at = out_.size();
    out_.u32(0);
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      const std::string_view name = view(headers_[i].name);
      must_be_escaped(name) ? out_.short_string(escaped(i)) : out_.short_string(name);
    }
    out_.set_u32(at, static_cast<uint32_t>(out_.size() - at - 4));
  }

  Output& out_;
  const swapmq_message& message_;
  const Returned& returned_;
  const backend::Headers headers_;
};

} // namespace

std::string publish_frame(uint16_t channel, std::string_view routing_key) {
  constexpr uint8_t kMandatory = 1;
  Output out;
  const std::size_t begun = out.begin_frame(kMethodFrame, channel);
  out.u32(AMQP_BASIC_PUBLISH_METHOD).u16(0).short_string("").short_string(routing_key);
  out.u8(kMandatory).end_frame(begun);
  return out.bytes();
}

bool append_message(Output& out, const Address& address, const swapmq_message& message,
                    const Returned& returned, std::size_t frame_max, std::size_t spare) {
  const std::size_t most = frame_max - kFrameOverhead;
  const std::size_t begun = out.size();
  out.raw(address.frame);
  const std::size_t header = out.size();
  HeaderWriter(out, message, returned).write(address.channel, address.moved_later);
  if (out.size() - header + spare > frame_max) {
    out.cut(begun);
    return false;
  }
  std::string_view body = view(message.body);
  while (!body.empty()) {
    const std::string_view part = body.substr(0, most);
    const std::size_t frame = out.begin_frame(kBodyFrame, address.channel);
    out.raw(part).end_frame(frame);
    body.remove_prefix(part.size());
  }
  return true;
}

} // namespace swapmq::rabbitmq

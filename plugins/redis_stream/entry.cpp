// SPDX-License-Identifier: MIT
#include "entry.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

#include "entry_id.hpp"

namespace swapmq::redis {
namespace {

using backend::bytes;
using backend::Headers;
using backend::headers_of;
using backend::view;

constexpr std::size_t kMaxIdBytes = 255;
constexpr std::size_t kMaxHeaderNameBytes = 255;

/// One argument that never changes, encoded.
constexpr std::string_view kMessageId = "$10\r\nmessage_id\r\n";
constexpr std::string_view kData = "$4\r\ndata\r\n";
constexpr std::string_view kTimestamp = "$9\r\ntimestamp\r\n";
constexpr std::string_view kRetryCount = "$11\r\nretry_count\r\n";
constexpr std::string_view kRetryCountZero = "$11\r\nretry_count\r\n$1\r\n0\r\n";
constexpr std::string_view kCorrelationId = "$14\r\ncorrelation_id\r\n";
constexpr std::string_view kNoCorrelationId = "$14\r\ncorrelation_id\r\n$0\r\n\r\n";

constexpr std::size_t kUsualFields = 5;

bool has_first_published(const swapmq_message& message) {
  return message.first_published_ms != 0 && message.first_published_ms != message.timestamp_ms;
}

bool rare(const swapmq_message& message) {
  return message.first_published_ms != 0 || message.due_at_ms != 0 || message.expires_at_ms != 0 ||
         message.priority != 0 || message.ordering_key.size != 0 || message.reply_to.size != 0 ||
         message.content_type.size != 0;
}

/// Calls each(name, value) for the fields that most messages do not have.
template <class Each>
void for_each_rare(const swapmq_message& message, Each&& each) {
  if (has_first_published(message)) {
    each("first_published", Decimal(message.first_published_ms).text());
  }
  if (message.due_at_ms != 0) each("due_at", Decimal(message.due_at_ms).text());
  if (message.expires_at_ms != 0) each("expires_at", Decimal(message.expires_at_ms).text());
  if (message.priority != 0) each("priority", Decimal(message.priority).text());
  if (message.ordering_key.size != 0) each("ordering_key", view(message.ordering_key));
  if (message.reply_to.size != 0) each("reply_to", view(message.reply_to));
  if (message.content_type.size != 0) each("content_type", view(message.content_type));
}

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const char* at = text.data();
  const char* const end = at + text.size();
  uint64_t value = 0;
  // Nearly always; else it may still be a number, below zero or with zeros in front.
  if (text.size() < 20 && read_digits(at, end, value) && at == end &&
      std::in_range<Number>(value)) {
    number = static_cast<Number>(value);
    return true;
  }
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

/// Reads the fields of one entry.
class Decoder {
 public:
  Decoder(Arena& arena, swapmq_message& message, std::size_t fields)
      : arena_(arena), message_(message), fields_(fields) {}

  void take(std::string_view name, std::string_view value) {
    if (name == "message_id") {
      if (value.size() > kMaxIdBytes) return wrong("\"message_id\" is longer than 255 bytes");
      message_.id = bytes(value);
    } else if (name == "data") {
      message_.body = bytes(value);
      has_data_ = true;
    } else if (name == "timestamp") {
      number(value, message_.timestamp_ms, "\"timestamp\" is not a number of milliseconds");
      has_timestamp_ = true;
    } else if (name == "retry_count") {
      number(value, message_.delivery_count, "\"retry_count\" is not a number");
    } else if (name == "correlation_id") {
      message_.correlation_id = bytes(value);
    } else if (name.starts_with(kHeaderField)) {
      header(name.substr(kHeaderField.size()), value);
    } else {
      take_rare(name, value);
    }
  }

  /// No server sends this where the fields are.
  void not_a_field() { wrong("a field is no name and value"); }

  /// False: it is no message.
  bool finish(std::string_view entry_id) {
    if (!has_data_) wrong("there is no field \"data\"");
    if (message_.id.size == 0) message_.id = bytes(arena_.copy(entry_id.data(), entry_id.size()));
    EntryId id;
    if (!has_timestamp_ && parse(entry_id, id)) {
      message_.timestamp_ms = static_cast<int64_t>(std::min<uint64_t>(id.ms, INT64_MAX));
    }
    if (wrong_ != nullptr) {
      add_header(SWAPMQ_UNDECODABLE_HEADER, wrong_);
    }
    message_.headers = headers_;
    message_.header_size = sizeof(swapmq_header);
    return wrong_ == nullptr;
  }

 private:
  void take_rare(std::string_view name, std::string_view value) {
    if (name == "first_published") {
      number(value, message_.first_published_ms,
             "\"first_published\" is not a number of milliseconds");
    } else if (name == "due_at") {
      number(value, message_.due_at_ms, "\"due_at\" is not a number of milliseconds");
    } else if (name == "expires_at") {
      number(value, message_.expires_at_ms, "\"expires_at\" is not a number of milliseconds");
    } else if (name == "priority") {
      number(value, message_.priority, "\"priority\" is not a number from 0 to 9");
      if (message_.priority > 9) {
        message_.priority = 0;
        wrong("\"priority\" is not a number from 0 to 9");
      }
    } else if (name == "ordering_key") {
      message_.ordering_key = bytes(value);
    } else if (name == "reply_to") {
      message_.reply_to = bytes(value);
    } else if (name == "content_type") {
      message_.content_type = bytes(value);
    } else {
      header(name, value); // somebody else's field
    }
  }

  template <class Number>
  void number(std::string_view text, Number& number, const char* what) {
    if (read_whole(text, number)) return;
    number = 0;
    wrong(what);
  }

  void header(std::string_view name, std::string_view value) {
    if (name.empty() || name.size() > kMaxHeaderNameBytes) {
      return wrong("the name of a header is not 1 to 255 bytes");
    }
    add_header(name, value);
  }

  void add_header(std::string_view name, std::string_view value) {
    // One more for the header that says what is wrong.
    if (headers_ == nullptr) headers_ = arena_.make<swapmq_header>(fields_ + 1);
    headers_[message_.header_count++] = {bytes(name), bytes(value)};
  }

  void wrong(const char* what) {
    if (wrong_ == nullptr) wrong_ = what;
  }

  Arena& arena_;
  swapmq_message& message_;
  const std::size_t fields_;
  swapmq_header* headers_ = nullptr;
  bool has_data_ = false;
  bool has_timestamp_ = false;
  const char* wrong_ = nullptr;
};

} // namespace

std::size_t field_arguments(const swapmq_message& message) {
  std::size_t fields = kUsualFields + message.header_count;
  if (rare(message)) {
    for_each_rare(message, [&](std::string_view, std::string_view) { ++fields; });
  }
  return 2 * fields;
}

void append_fields(Commands& out, const swapmq_message& message) {
  out.raw(kMessageId).arg(view(message.id));
  out.raw(kData).arg(view(message.body));
  out.raw(kTimestamp).arg(message.timestamp_ms);
  if (message.delivery_count == 0) {
    out.raw(kRetryCountZero);
  } else {
    out.raw(kRetryCount).arg(message.delivery_count);
  }
  if (message.correlation_id.size == 0) {
    out.raw(kNoCorrelationId);
  } else {
    out.raw(kCorrelationId).arg(view(message.correlation_id));
  }
  if (rare(message)) {
    for_each_rare(message,
                  [&](std::string_view name, std::string_view value) { out.arg(name).arg(value); });
  }
  if (message.header_count == 0) return;
  std::string name(kHeaderField);
  const Headers headers = headers_of(message);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    name.resize(kHeaderField.size());
    name.append(view(headers[i].name));
    out.arg(name).arg(view(headers[i].value));
  }
}

bool decode(std::string_view entry_id, const Reply& fields, Arena& arena, swapmq_message& message) {
  Decoder decoder(arena, message, fields.count / 2);
  for (const Reply* at = fields.first; at != nullptr; at = at->next->next) {
    if (at->next == nullptr || !at->is_text() || !at->next->is_text()) {
      decoder.not_a_field();
      break;
    }
    decoder.take(at->text, at->next->text);
  }
  return decoder.finish(entry_id);
}

bool decode(std::string_view entry_id, const char* base, std::span<const FieldAt> fields,
            Arena& arena, swapmq_message& message) {
  Decoder decoder(arena, message, fields.size() / 2);
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    decoder.take({base + fields[i].at, fields[i].size},
                 {base + fields[i + 1].at, fields[i + 1].size});
  }
  if (fields.size() % 2 != 0) decoder.not_a_field();
  return decoder.finish(entry_id);
}

} // namespace swapmq::redis

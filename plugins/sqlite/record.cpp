// SPDX-License-Identifier: MIT
#include "record.hpp"

#include <array>
#include <cstring>

#include "checksum.hpp"

namespace swapmq::sqlite {
namespace {

enum Tag : unsigned char {
  kFirstPublished = 1,
  kDueAt = 2,
  kDeliveryCount = 3,
  kOrderingKey = 4,
  kCorrelationId = 5,
  kReplyTo = 6,
  kContentType = 7,
  kHeaderName = 8,
  kHeaderValue = 9,
};

constexpr std::size_t kFieldHead = 5;

void append(std::string& extra, Tag tag, std::string_view value) {
  char head[kFieldHead];
  head[0] = static_cast<char>(tag);
  const auto length = static_cast<uint32_t>(value.size());
  std::memcpy(head + 1, &length, sizeof length);
  extra.append(head, sizeof head);
  extra.append(value);
}

void append_if_any(std::string& extra, Tag tag, swapmq_bytes value) {
  if (value.size != 0) append(extra, tag, backend::view(value));
}

void append_if_any(std::string& extra, Tag tag, int64_t value) {
  if (value == 0) return;
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  append(extra, tag, {bytes, sizeof bytes});
}

struct Field {
  unsigned char tag;
  std::string_view value;
};

/// Takes the next field off the front; false at the end or if it is cut short.
bool next_field(std::string_view& rest, Field& field) {
  if (rest.size() < kFieldHead) return false;
  uint32_t length = 0;
  std::memcpy(&length, rest.data() + 1, sizeof length);
  if (rest.size() - kFieldHead < length) return false;
  field = {static_cast<unsigned char>(rest[0]), rest.substr(kFieldHead, length)};
  rest.remove_prefix(kFieldHead + length);
  return true;
}

int64_t integer(std::string_view value) {
  int64_t number = 0;
  if (value.size() == sizeof number) std::memcpy(&number, value.data(), sizeof number);
  return number;
}

} // namespace

void encode_extra(const swapmq_message& message, std::string& extra) {
  append_if_any(extra, kFirstPublished, message.first_published_ms);
  append_if_any(extra, kDueAt, message.due_at_ms);
  append_if_any(extra, kDeliveryCount, int64_t{message.delivery_count});
  append_if_any(extra, kOrderingKey, message.ordering_key);
  append_if_any(extra, kCorrelationId, message.correlation_id);
  append_if_any(extra, kReplyTo, message.reply_to);
  append_if_any(extra, kContentType, message.content_type);
  const backend::Headers headers = backend::headers_of(message);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    append(extra, kHeaderName, backend::view(headers[i].name));
    append(extra, kHeaderValue, backend::view(headers[i].value));
  }
}

int64_t count_headers(std::string_view extra) {
  int64_t names = 0;
  int64_t values = 0;
  Field field{};
  while (next_field(extra, field)) {
    if (field.tag == kHeaderName) ++names;
    if (field.tag == kHeaderValue && ++values != names) return -1;
  }
  return extra.empty() && names == values ? names : -1;
}

void decode_extra(std::string_view extra, swapmq_message& message, swapmq_header* headers) {
  message.headers = nullptr;
  message.header_count = 0;
  message.header_size = sizeof(swapmq_header);
  Field field{};
  while (next_field(extra, field)) {
    const swapmq_bytes value = backend::bytes(field.value);
    switch (field.tag) {
      case kFirstPublished:
        message.first_published_ms = integer(field.value);
        break;
      case kDueAt:
        message.due_at_ms = integer(field.value);
        break;
      case kDeliveryCount:
        message.delivery_count = static_cast<uint32_t>(integer(field.value));
        break;
      case kOrderingKey:
        message.ordering_key = value;
        break;
      case kCorrelationId:
        message.correlation_id = value;
        break;
      case kReplyTo:
        message.reply_to = value;
        break;
      case kContentType:
        message.content_type = value;
        break;
      case kHeaderName:
        headers[message.header_count].name = value;
        break;
      case kHeaderValue:
        headers[message.header_count++].value = value;
        break;
      default:
        break;
    }
  }
  if (message.header_count > 0) message.headers = headers;
}

uint32_t checksum_of(int64_t key, std::string_view id, int64_t sent_ms, int64_t expires_ms,
                     std::string_view extra, std::string_view body) {
  // The lengths are in it so that bytes cannot move from one column to the next unnoticed.
  const std::array<int64_t, 6> numbers{key,
                                       sent_ms,
                                       expires_ms,
                                       static_cast<int64_t>(id.size()),
                                       static_cast<int64_t>(extra.size()),
                                       static_cast<int64_t>(body.size())};
  char head[sizeof numbers];
  std::memcpy(head, numbers.data(), sizeof numbers);
  uint32_t crc = crc32(0, {head, sizeof head});
  crc = crc32(crc, id);
  if (!extra.empty()) crc = crc32(crc, extra);
  return crc32(crc, body);
}

} // namespace swapmq::sqlite

// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace swapmq::rabbitmq {

using backend::headers_of;
using backend::view;

std::vector<OwnedFrame> frames_of(std::string_view bytes) {
  std::vector<OwnedFrame> frames;
  FrameReader reader;
  Frame frame;
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.data(), count, room.data());
    reader.filled(count);
    bytes.remove_prefix(count);
    while (reader.next(frame)) {
      frames.push_back({frame.type, frame.channel, std::string(frame.payload)});
    }
  }
  EXPECT_EQ(reader.rest(), "");
  return frames;
}

const amqp_basic_properties_t* Pool::properties(std::string_view header) {
  void* properties = nullptr;
  const int status =
      amqp_decode_properties(AMQP_BASIC_CLASS, &pool_, amqp_bytes(header.substr(12)), &properties);
  return status == AMQP_STATUS_OK ? static_cast<amqp_basic_properties_t*>(properties) : nullptr;
}

std::string content_header(uint16_t flags, std::string_view properties, uint64_t body_size) {
  Output out;
  out.u16(AMQP_BASIC_CLASS).u16(0).u64(body_size).u16(flags).raw(properties);
  return out.bytes();
}

std::string content_header(const Table& table) {
  return content_header(AMQP_BASIC_HEADERS_FLAG, table.bytes());
}

std::string Read::header(std::string_view name) const {
  for (const auto& [its_name, value] : headers()) {
    if (its_name == name) return value;
  }
  return "(none)";
}

std::vector<std::pair<std::string, std::string>> Read::headers() const {
  std::vector<std::pair<std::string, std::string>> all;
  const backend::Headers headers = headers_of(message());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    all.emplace_back(view(headers[i].name), view(headers[i].value));
  }
  return all;
}

Read read_header(std::string header) {
  // On the heap and no longer than it is, so that sanitizers see what reads beyond it.
  Read read{std::move(header), std::make_unique<network::Arena>(64), {}};
  read.bytes.shrink_to_fit();
  read.decoded = decode_message(read.bytes, *read.arena);
  return read;
}

std::vector<OwnedFrame> sent(const swapmq_message& message, const Returned& returned,
                             bool moved_later, std::size_t frame_max) {
  Output out;
  const std::string publish = publish_frame(1, "queue");
  EXPECT_TRUE(append_message(out, {publish, 1, moved_later}, message, returned, frame_max));
  return frames_of(out.bytes());
}

std::string moved(std::string_view header) {
  Pool pool;
  const amqp_basic_properties_t* read = pool.properties(header);
  EXPECT_NE(read, nullptr);
  amqp_basic_properties_t properties = *read;
  std::vector<amqp_table_entry_t> entries;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    entries.push_back(properties.headers.entries[i]);
  }
  amqp_field_value_t value{};
  value.kind = AMQP_FIELD_KIND_UTF8;
  value.value.bytes = amqp_bytes("expired");
  amqp_field_value_t deaths{};
  deaths.kind = AMQP_FIELD_KIND_ARRAY;
  deaths.value.array = {1, &value};
  entries.push_back({amqp_bytes("x-death"), deaths});
  for (const char* name : {"x-first-death-reason", "x-last-death-queue"}) {
    entries.push_back({amqp_bytes(name), value});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return view(a.key) < view(b.key); });
  properties.headers = {static_cast<int>(entries.size()), entries.data()};
  std::string bytes(header.size() + 4096, '\0');
  std::copy_n(header.data(), 12, bytes.data());
  amqp_bytes_t rest{bytes.size() - 12, bytes.data() + 12};
  const int size = amqp_encode_properties(AMQP_BASIC_CLASS, &properties, rest);
  EXPECT_GT(size, 0);
  bytes.resize(12 + static_cast<std::size_t>(std::max(size, 0)));
  return bytes;
}

void expect_same(const swapmq_message& one, const swapmq_message& other) {
  EXPECT_EQ(view(one.id), view(other.id));
  EXPECT_EQ(one.timestamp_ms, other.timestamp_ms);
  EXPECT_EQ(one.first_published_ms, other.first_published_ms);
  EXPECT_EQ(one.due_at_ms, other.due_at_ms);
  EXPECT_EQ(one.expires_at_ms, other.expires_at_ms);
  EXPECT_EQ(one.priority, other.priority);
  EXPECT_EQ(one.delivery_count, other.delivery_count);
  EXPECT_EQ(view(one.ordering_key), view(other.ordering_key));
  EXPECT_EQ(view(one.correlation_id), view(other.correlation_id));
  EXPECT_EQ(view(one.reply_to), view(other.reply_to));
  EXPECT_EQ(view(one.content_type), view(other.content_type));
  ASSERT_EQ(one.header_count, other.header_count);
  for (uint32_t i = 0; i < one.header_count; ++i) {
    EXPECT_EQ(view(headers_of(one)[i].name), view(headers_of(other)[i].name));
    EXPECT_EQ(view(headers_of(one)[i].value), view(headers_of(other)[i].value));
  }
}

Sample::Sample() {
  message.id = text("id");
  message.header_size = sizeof(swapmq_header);
  message.timestamp_ms = 1700000000123;
}

Sample::Sample(uint32_t seed) : random_(seed) {
  message.id = bytes(1, 255);
  message.body = bytes(0, 3000);
  message.timestamp_ms = static_cast<int64_t>(random_() >> 24);
  message.first_published_ms = maybe_time();
  message.due_at_ms = maybe_time();
  message.expires_at_ms = maybe_time();
  message.priority = below(10);
  message.delivery_count = below(3) == 0 ? std::numeric_limits<uint32_t>::max() : below(3);
  message.ordering_key = maybe_text();
  message.correlation_id = maybe_text();
  message.reply_to = maybe_text();
  message.content_type = maybe_text();
  message.header_size = sizeof(swapmq_header);
  for (uint32_t i = below(20); i > 0; --i) {
    add_header(name(), std::string(view(bytes(0, 300))));
  }
}

void Sample::add_header(std::string name, std::string value) {
  headers_.push_back({text(std::move(name)), text(std::move(value))});
  message.headers = headers_.data();
  message.header_count = static_cast<uint32_t>(headers_.size());
}

swapmq_bytes Sample::bytes(std::size_t least, std::size_t most) {
  std::string made(least + below(static_cast<uint32_t>(most - least + 1)), '\0');
  for (char& c : made) c = static_cast<char>(below(256));
  return text(std::move(made));
}

int64_t Sample::maybe_time() {
  switch (below(4)) {
    case 0:
      return std::numeric_limits<int64_t>::max();
    case 1:
      return static_cast<int64_t>(random_() >> 20);
    default:
      return 0;
  }
}

/// Few different ones, so that some come twice.
std::string Sample::name() {
  static constexpr std::array kNames{"a",
                                     "b",
                                     "Z",
                                     "aa",
                                     "CC",
                                     "BCC",
                                     "x-death",
                                     "x-delay",
                                     "x-swapm",
                                     "x-deaths",
                                     "x-swapmq-",
                                     "x-swapmq-timestamp-ms",
                                     "x-first-death-reason",
                                     "x-swapmq-header-0",
                                     "x-delivery-count",
                                     "x-swapmq-header-order"};
  if (below(4) == 0) return std::string(view(bytes(1, 255)));
  return kNames[below(kNames.size())];
}

} // namespace swapmq::rabbitmq

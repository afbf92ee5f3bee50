// SPDX-License-Identifier: MIT
#include "message_decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "field_text.hpp"
#include "header_names.hpp"
#include "network/failures.hpp"

namespace swapmq::rabbitmq {
namespace {

constexpr std::size_t kBeforeFlags = 12; // class, weight, body size
constexpr uint16_t kBasicClass = 60;

// Deeper is nobody's header. The library decodes each level on the stack.
constexpr std::size_t kMostLevels = 1024;

/// A walk through a table of AMQP that looks at nothing but how deep it is.
class DepthCheck {
 public:
  explicit DepthCheck(std::string_view bytes) : bytes_(bytes) {}

  /// Whether the table at `at`, and all in it, is within kMostLevels. What is damaged may be
  /// either: the library will say so.
  bool is_shallow(std::size_t at) {
    at_ = at;
    if (!enter(true)) return false;
    while (depth_ > 0) {
      const Level& level = levels_[depth_ - 1];
      if (at_ >= level.end) {
        --depth_;
        continue;
      }
      if (level.is_table) at_ += 1 + number(1); // the name
      const char kind = at_ < bytes_.size() ? bytes_[at_] : '\0';
      ++at_;
      if (kind == 'A' || kind == 'F') {
        if (!enter(kind == 'F')) return false;
      } else {
        skip(kind);
      }
    }
    return true;
  }

 private:
  struct Level {
    std::size_t end;
    bool is_table;
  };

  /// 0 where there is none.
  [[nodiscard]] std::size_t number(std::size_t size) const {
    std::size_t value = 0;
    if (at_ + size > bytes_.size()) return 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | static_cast<unsigned char>(bytes_[at_ + i]);
    }
    return value;
  }
  bool enter(bool is_table) {
    if (depth_ == kMostLevels) return false;
    const std::size_t size = number(4);
    at_ += 4;
    levels_[depth_++] = {std::min(at_ + size, bytes_.size()), is_table};
    return true;
  }
  void skip(char kind) {
    constexpr std::string_view kSizes = "t1b1B1s2u2I4i4f4l8L8d8T8D5";
    if (kind == 'S' || kind == 'x') {
      at_ += 4 + number(4);
    } else if (kind != 'V') {
      const std::size_t found = kSizes.find(kind);
      if (found == std::string_view::npos || found % 2 != 0) {
        at_ = bytes_.size(); // the library knows no such kind and goes no further
      } else {
        at_ += static_cast<std::size_t>(kSizes[found + 1] - '0');
      }
    }
  }

  const std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::array<Level, kMostLevels> levels_; // up to depth_
};

/// Whether a content header's table, if it has one, may be decoded.
bool is_shallow(std::string_view header_frame) {
  if (header_frame.size() < kBeforeFlags + 2) return true;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(header_frame[i]); };
  const unsigned flags = unsigned{byte(kBeforeFlags)} << 8 | byte(kBeforeFlags + 1);
  if ((flags & AMQP_BASIC_HEADERS_FLAG) == 0) return true;
  std::size_t at = kBeforeFlags + 2;
  for (unsigned word = flags; (word & 1) != 0; at += 2) { // more words of flags follow
    if (at + 2 > header_frame.size()) return true;
    word = byte(at + 1);
  }
  for (const int flag : {AMQP_BASIC_CONTENT_TYPE_FLAG, AMQP_BASIC_CONTENT_ENCODING_FLAG}) {
    if ((flags & static_cast<unsigned>(flag)) == 0) continue;
    if (at >= header_frame.size()) return true;
    at += 1 + byte(at);
  }
  return DepthCheck(header_frame).is_shallow(at);
}

/// Memory for the properties of one message at a time.
class PropertyPool {
 public:
  PropertyPool() { init_amqp_pool(&pool_, 8192); }
  ~PropertyPool() { empty_amqp_pool(&pool_); }
  PropertyPool(const PropertyPool&) = delete;
  PropertyPool& operator=(const PropertyPool&) = delete;

  /// Null: they are damaged.
  const amqp_basic_properties_t* decode(std::string_view header_frame) {
    recycle_amqp_pool(&pool_);
    void* properties = nullptr;
    const int status = amqp_decode_properties(
        kBasicClass, &pool_, amqp_bytes(header_frame.substr(kBeforeFlags)), &properties);
    return status == AMQP_STATUS_OK ? static_cast<amqp_basic_properties_t*>(properties) : nullptr;
  }

 private:
  amqp_pool_t pool_{};
};

const amqp_basic_properties_t* decode_properties(std::string_view header_frame) {
  static thread_local PropertyPool pool;
  if (header_frame.size() < kBeforeFlags || !is_shallow(header_frame)) return nullptr;
  return pool.decode(header_frame);
}

std::optional<int64_t> integer_of(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_I8:
      return value.value.i8;
    case AMQP_FIELD_KIND_U8:
      return value.value.u8;
    case AMQP_FIELD_KIND_I16:
      return value.value.i16;
    case AMQP_FIELD_KIND_U16:
      return value.value.u16;
    case AMQP_FIELD_KIND_I32:
      return value.value.i32;
    case AMQP_FIELD_KIND_U32:
      return value.value.u32;
    case AMQP_FIELD_KIND_I64:
      return value.value.i64;
    default:
      return std::nullopt;
  }
}

std::string_view bytes_of(const amqp_field_value_t& value) {
  const bool is_text = value.kind == AMQP_FIELD_KIND_UTF8 || value.kind == AMQP_FIELD_KIND_BYTES;
  return is_text ? view(value.value.bytes) : std::string_view();
}

class Decoder {
 public:
  Decoder(const amqp_basic_properties_t& properties, network::Arena& arena)
      : properties_(properties), arena_(arena) {
    decoded_.message = arena_.make<swapmq_message>();
    decoded_.message->header_size = sizeof(swapmq_header);
    // What is no header in AMQP and shown as one, and what is wrong.
    constexpr std::size_t kMore = 8;
    headers_ = arena_.make<swapmq_header>(table_size() + kMore);
    for (std::size_t i = 0; i < table_size() && !is_ours_; ++i) {
      is_ours_ = view(properties_.headers.entries[i].key) == kTimestampHeader;
    }
  }

  Decoded decode() {
    swapmq_message& message = *decoded_.message;
    message.id = property(AMQP_BASIC_MESSAGE_ID_FLAG, properties_.message_id);
    message.content_type = property(AMQP_BASIC_CONTENT_TYPE_FLAG, properties_.content_type);
    message.correlation_id = property(AMQP_BASIC_CORRELATION_ID_FLAG, properties_.correlation_id);
    message.reply_to = property(AMQP_BASIC_REPLY_TO_FLAG, properties_.reply_to);
    if (has(AMQP_BASIC_PRIORITY_FLAG))
      message.priority = std::min<uint32_t>(properties_.priority, 9);
    constexpr uint64_t kMostSeconds = std::numeric_limits<int64_t>::max() / 1000;
    if (has(AMQP_BASIC_TIMESTAMP_FLAG) && properties_.timestamp <= kMostSeconds) {
      message.timestamp_ms = static_cast<int64_t>(properties_.timestamp) * 1000;
    }
    for (std::size_t i = 0; i < table_size(); ++i) take(properties_.headers.entries[i]);
    if (!is_ours_) show_foreign_properties();
    if (!order_.empty()) put_in_order();
    if (wrong_ != nullptr) {
      decoded_.good = false;
      add(SWAPMQ_UNDECODABLE_HEADER, wrong_);
    }
    message.header_count = static_cast<uint32_t>(count_);
    message.headers = count_ > 0 ? headers_ : nullptr;
    return decoded_;
  }

 private:
  [[nodiscard]] bool has(amqp_flags_t flag) const { return (properties_._flags & flag) != 0; }
  [[nodiscard]] std::size_t table_size() const {
    return has(AMQP_BASIC_HEADERS_FLAG) ? static_cast<std::size_t>(properties_.headers.num_entries)
                                        : 0;
  }
  [[nodiscard]] swapmq_bytes property(amqp_flags_t flag, const amqp_bytes_t& bytes) const {
    return has(flag) ? swapmq_bytes{bytes.bytes, bytes.len} : swapmq_bytes{};
  }

  void take(const amqp_table_entry_t& entry) {
    const std::string_view name = view(entry.key);
    if (name.starts_with(kOwnHeader)) return take_own(name, entry.value);
    if (name == "x-delivery-count" || name == "x-acquired-count") return;
    // What a delay queue wrote about a message of ours is nobody's business.
    if (is_ours_ && is_the_brokers(name)) return;
    if (name.empty()) return wrong("a header has no name");
    wire_names_.push_back(name);
    add(name, text_of_field(entry.value, arena_));
  }

  void take_own(std::string_view name, const amqp_field_value_t& value) {
    swapmq_message& message = *decoded_.message;
    if (name == kTimestampHeader) {
      number(value, message.timestamp_ms);
    } else if (name == kFirstPublishedHeader) {
      number(value, message.first_published_ms);
    } else if (name == kDueAtHeader) {
      number(value, message.due_at_ms);
    } else if (name == kExpiresAtHeader) {
      number(value, message.expires_at_ms);
    } else if (name == kDeliveryCountHeader) {
      number(value, message.delivery_count);
    } else if (name == kNacksHeader) {
      number(value, decoded_.returned.nacks);
    } else if (name == kNotBeforeHeader) {
      number(value, decoded_.returned.not_before_ms);
    } else if (name == kOrderingKeyHeader) {
      text(value, message.ordering_key);
    } else if (name == kCorrelationIdHeader) {
      text(value, message.correlation_id);
    } else if (name == kReplyToHeader) {
      text(value, message.reply_to);
    } else if (name == kContentTypeHeader) {
      text(value, message.content_type);
    } else if (name == kHeaderOrderHeader) {
      order_ = bytes_of(value);
    } else if (name.starts_with(kEscapedHeader)) {
      unescape(name, bytes_of(value));
    }
  }

  template <class Number>
  void number(const amqp_field_value_t& value, Number& out) {
    const std::optional<int64_t> given = integer_of(value);
    if (!given || !std::in_range<Number>(*given)) {
      return wrong("one of its x-swapmq- headers is not the number that it should be");
    }
    out = static_cast<Number>(*given);
  }

  void text(const amqp_field_value_t& value, swapmq_bytes& out) {
    if (value.kind != AMQP_FIELD_KIND_UTF8 && value.kind != AMQP_FIELD_KIND_BYTES) {
      return wrong("one of its x-swapmq- headers is not the text that it should be");
    }
    out = backend::bytes(view(value.value.bytes));
  }

  void unescape(std::string_view name, std::string_view value) {
    const std::size_t length = value.empty() ? 0 : static_cast<unsigned char>(value.front());
    if (length == 0 || value.size() < 1 + length) {
      return wrong("one of its x-swapmq-header- headers is damaged");
    }
    wire_names_.push_back(name);
    add(value.substr(1, length), value.substr(1 + length));
  }

  void show_foreign_properties() {
    const auto show = [&](amqp_flags_t flag, std::string_view name, const amqp_bytes_t& value) {
      if (has(flag)) add(name, view(value));
    };
    show(AMQP_BASIC_CONTENT_ENCODING_FLAG, "content_encoding", properties_.content_encoding);
    show(AMQP_BASIC_TYPE_FLAG, "type", properties_.type);
    show(AMQP_BASIC_USER_ID_FLAG, "user_id", properties_.user_id);
    show(AMQP_BASIC_APP_ID_FLAG, "app_id", properties_.app_id);
    show(AMQP_BASIC_CLUSTER_ID_FLAG, "cluster_id", properties_.cluster_id);
  }

  void add(std::string_view name, std::string_view value) {
    headers_[count_++] = {backend::bytes(name), backend::bytes(value)};
  }

  /// As they were before the broker sorted them.
  void put_in_order() {
    if (count_ > kMaxHeaderCount) return; // not of ours, and it would take long
    std::vector<swapmq_header> ordered;
    std::vector<bool> used(count_, false);
    for (std::string_view rest = order_; !rest.empty();) {
      const std::size_t length = static_cast<unsigned char>(rest.front());
      const std::string_view name = rest.substr(1, length);
      rest.remove_prefix(std::min(rest.size(), 1 + length));
      for (std::size_t i = 0; i < wire_names_.size(); ++i) {
        if (used[i] || wire_names_[i] != name) continue;
        used[i] = true;
        ordered.push_back(headers_[i]);
        break;
      }
    }
    if (ordered.size() != count_) return; // somebody else changed it
    std::copy(ordered.begin(), ordered.end(), headers_);
  }

  void wrong(const char* what) {
    if (wrong_ == nullptr) wrong_ = what;
  }

  const amqp_basic_properties_t& properties_;
  network::Arena& arena_;
  Decoded decoded_;
  swapmq_header* headers_;
  std::size_t count_ = 0;
  std::vector<std::string_view> wire_names_; // of the first headers_
  std::string_view order_;
  bool is_ours_ = false;
  const char* wrong_ = nullptr;
};

} // namespace

bool is_shallow_table(std::string_view bytes, std::size_t at) {
  return DepthCheck(bytes).is_shallow(at);
}

uint64_t body_size_of(std::string_view header_frame) {
  if (header_frame.size() < kBeforeFlags + 2) {
    throw network::ConnectionLost("RabbitMQ sent a content header that cannot be read");
  }
  uint64_t size = 0;
  for (std::size_t i = 4; i < kBeforeFlags; ++i) {
    size = size << 8 | static_cast<unsigned char>(header_frame[i]);
  }
  return size;
}

Decoded decode_message(std::string_view header_frame, network::Arena& arena) {
  const amqp_basic_properties_t* properties = decode_properties(header_frame);
  if (properties != nullptr) return Decoder(*properties, arena).decode();
  Decoded decoded;
  decoded.good = false;
  decoded.message = arena.make<swapmq_message>();
  auto* header = arena.make<swapmq_header>();
  *header = {backend::bytes(SWAPMQ_UNDECODABLE_HEADER),
             backend::bytes("its properties are damaged")};
  decoded.message->headers = header;
  decoded.message->header_count = 1;
  decoded.message->header_size = sizeof(swapmq_header);
  return decoded;
}

std::string_view message_id_of(std::string_view header_frame) {
  const amqp_basic_properties_t* properties = decode_properties(header_frame);
  if (properties == nullptr || (properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) == 0) return {};
  return view(properties->message_id);
}

} // namespace swapmq::rabbitmq

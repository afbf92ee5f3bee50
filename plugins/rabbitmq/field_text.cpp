// SPDX-License-Identifier: MIT
#include "field_text.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <charconv>
#include <string>

#include "output.hpp"

namespace swapmq::rabbitmq {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

template <class Number>
std::string number_text(Number value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

/// Scalars; the caller knows strings.
std::string scalar_text(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_BOOLEAN:
      return value.value.boolean != 0 ? "true" : "false";
    case AMQP_FIELD_KIND_I8:
      return number_text(int{value.value.i8});
    case AMQP_FIELD_KIND_U8:
      return number_text(unsigned{value.value.u8});
    case AMQP_FIELD_KIND_I16:
      return number_text(value.value.i16);
    case AMQP_FIELD_KIND_U16:
      return number_text(value.value.u16);
    case AMQP_FIELD_KIND_I32:
      return number_text(value.value.i32);
    case AMQP_FIELD_KIND_U32:
      return number_text(value.value.u32);
    case AMQP_FIELD_KIND_I64:
      return number_text(value.value.i64);
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
      return number_text(value.value.u64);
    case AMQP_FIELD_KIND_F32:
      return number_text(value.value.f32);
    case AMQP_FIELD_KIND_F64:
      return number_text(value.value.f64);
    case AMQP_FIELD_KIND_DECIMAL:
      return number_text(value.value.decimal.value) + "e-" +
             number_text(unsigned{value.value.decimal.decimals});
    default:
      return {};
  }
}

bool is_text(const amqp_field_value_t& value) {
  return value.kind == AMQP_FIELD_KIND_UTF8 || value.kind == AMQP_FIELD_KIND_BYTES;
}

void write_text(Writer& out, std::string_view text) {
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

// Deeper is nobody's header; a stack is finite.
constexpr int kMostDepth = 16;

void write(Writer& out, const amqp_field_value_t& value, int depth) {
  if (is_text(value)) return write_text(out, view(value.value.bytes));
  if (value.kind == AMQP_FIELD_KIND_BOOLEAN) return void(out.Bool(value.value.boolean != 0));
  if (value.kind == AMQP_FIELD_KIND_VOID || depth == kMostDepth) return void(out.Null());
  if (value.kind == AMQP_FIELD_KIND_ARRAY) {
    out.StartArray();
    for (int i = 0; i < value.value.array.num_entries; ++i) {
      write(out, value.value.array.entries[i], depth + 1);
    }
    return void(out.EndArray());
  }
  if (value.kind == AMQP_FIELD_KIND_TABLE) {
    out.StartObject();
    for (int i = 0; i < value.value.table.num_entries; ++i) {
      const amqp_table_entry_t& entry = value.value.table.entries[i];
      const std::string_view key = view(entry.key);
      out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
      write(out, entry.value, depth + 1);
    }
    return void(out.EndObject());
  }
  const std::string text = scalar_text(value);
  // Infinity and what is no number are none in JSON.
  if (text.empty() || text.find_first_of("infa") != std::string::npos) return void(out.Null());
  out.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

} // namespace

std::string_view text_of_field(const amqp_field_value_t& value, network::Arena& arena) {
  if (is_text(value)) return view(value.value.bytes);
  if (value.kind == AMQP_FIELD_KIND_ARRAY || value.kind == AMQP_FIELD_KIND_TABLE) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    write(writer, value, 0);
    return arena.copy(buffer.GetString(), buffer.GetSize());
  }
  const std::string text = scalar_text(value);
  return arena.copy(text.data(), text.size());
}

} // namespace swapmq::rabbitmq

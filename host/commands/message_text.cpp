// SPDX-License-Identifier: MIT
#include "commands/message_text.h"

#include <chrono>

namespace swapmq::host {
namespace {

void add_text(JsonWriter& json, const char* name, std::string_view value) {
  if (value.empty()) return;
  // Any byte comes back as it was: under another name where JSON cannot hold it.
  if (is_utf8(value)) {
    json.member(name, value);
  } else {
    json.member(std::string(name) + "_base64", base64(value));
  }
}

void append_json(std::string& to, const Delivery& delivery, JsonWriter& json) {
  json.begin_object();
  add_text(json, "id", delivery.id());
  add_text(json, "queue", delivery.queue());
  if (delivery.body().empty()) json.member("body", "");
  add_text(json, "body", delivery.body());
  // A list, since names may repeat and need not be UTF-8.
  json.key("headers").begin_array();
  for (const Header& header : delivery.headers()) {
    json.begin_object();
    add_text(json, "name", header.name);
    if (header.value.empty()) json.member("value", "");
    add_text(json, "value", header.value);
    json.end_object();
  }
  json.end_array();
  const auto since_1970 = delivery.timestamp().time_since_epoch();
  const auto ms = std::chrono::duration_cast<milliseconds>(since_1970).count();
  json.member("timestamp_ms", static_cast<std::uint64_t>(ms < 0 ? 0 : ms));
  json.member("delivery_count", std::uint64_t{delivery.delivery_count()});
  json.member("redelivered", delivery.redelivered());
  if (delivery.priority() > 0) json.member("priority", std::uint64_t{delivery.priority()});
  add_text(json, "ordering_key", delivery.ordering_key());
  add_text(json, "correlation_id", delivery.correlation_id());
  add_text(json, "reply_to", delivery.reply_to());
  add_text(json, "content_type", delivery.content_type());
  json.end_object();
  to += json.take();
}

} // namespace

void append_message(std::string& to, const Delivery& delivery, MessageForm form, JsonWriter& json) {
  if (form == MessageForm::json) {
    append_json(to, delivery, json);
    return;
  }
  to += delivery.body();
  if (form == MessageForm::lines) to += '\n';
  if (form == MessageForm::null_separated) to += '\0';
}

} // namespace swapmq::host

// SPDX-License-Identifier: MIT
//
// Bodies that are JSON, by RapidJSON. A comfort on top of swapmq.hpp, in this header alone: who
// includes it has RapidJSON's headers in sight; the library itself asks for none.
//
//   swapmq::json::publish(mq, "tasks", document);
//   auto consumer = mq.consume("tasks", {}, swapmq::json::handler(
//       [](const rapidjson::Value& task, const swapmq::Delivery&) {
//         return resize(task["file"].GetString()) ? swapmq::ack() : swapmq::nack();
//       }));
//
// Threads: any, as far as RapidJSON's values are not shared. Blocking: publish() as
// MessageQueue::publish(); nothing else blocks. Ownership: documents own what they hold.
#ifndef SWAPMQ_JSON_HPP
#define SWAPMQ_JSON_HPP

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>
#include <string_view>
#include <utility>

#include "swapmq/swapmq.hpp"

namespace swapmq::json {

/// RFC 8259, section 11.
inline constexpr std::string_view content_type = "application/json";

/// The text as JSON, however deep it nests. Errors: invalid_argument, it is none; says at which
/// byte.
inline Result<rapidjson::Document> parse(std::string_view text) {
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag;
  rapidjson::Document document;
  document.Parse<flags>(text.data(), text.size());
  if (!document.HasParseError()) return Result<rapidjson::Document>(std::move(document));
  return Error(Errc::invalid_argument, "not JSON: byte " +
                                           std::to_string(document.GetErrorOffset() + 1) + ": " +
                                           rapidjson::GetParseError_En(document.GetParseError()));
}

/// The body. Errors: as above.
inline Result<rapidjson::Document> parse(const Delivery& delivery) {
  return parse(delivery.body());
}

/// In one line.
inline std::string text(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

/// Publishes it as the body; `message` says the rest. Its content type is application/json, unless
/// it says another one.
inline Sent publish(MessageQueue& queue, std::string_view name, const rapidjson::Value& value,
                    Message message = {}, const PublishOptions& options = {}) {
  const std::string body = text(value);
  message.body = body;
  if (message.content_type.empty()) message.content_type = content_type;
  return queue.publish(name, message, options);
}

/// A handler that is given the body as JSON: function(const rapidjson::Value&, const Delivery&) ->
/// Decision. A body that is none is rejected, and the reason says where: no retry would mend it.
template <class Function>
Handler handler(Function function) {
  return [function = std::move(function)](const Delivery& delivery) -> Decision {
    const Result<rapidjson::Document> body = parse(delivery);
    if (!body) return reject("the body is " + body.error().message());
    return function(static_cast<const rapidjson::Value&>(*body), delivery);
  };
}

} // namespace swapmq::json

#endif // SWAPMQ_JSON_HPP

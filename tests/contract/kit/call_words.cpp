// SPDX-License-Identifier: MIT
#include "call_words.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "message.h"
#include "probe.h"

namespace swapmq::contract::words {

namespace {

constexpr std::size_t kMostName = 48, kMostError = 96;

/// `texts` in one line, what repeats once with its number: "OK, 3 LOST".
std::string runs(const std::vector<std::string>& texts) {
  constexpr std::size_t kMost = 4;
  std::string line;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < texts.size();) {
    std::size_t same = 1;
    while (i + same < texts.size() && texts[i + same] == texts[i]) ++same;
    if (shown++ == kMost) return line + ", ...";
    line += (line.empty() ? "" : ", ") + (same > 1 ? std::to_string(same) + " " : "") + texts[i];
    i += same;
  }
  return line;
}

/// The element of an array with a stride of the caller's.
template <class T>
const T& element(const T* first, std::uint32_t stride, std::uint64_t i) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(first) + i * stride);
}

std::string printable(std::string_view text, std::size_t most) {
  std::string line;
  for (const char c : text.substr(0, most)) {
    char hex[5];
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(c) & 0xffu);
    if (c == '"' || c == '\\') line += '\\';
    line += c >= ' ' && c < 127 ? std::string(1, c) : std::string(hex);
  }
  return "\"" + line + (text.size() > most ? "...\"" : "\"");
}

/// "in 400 ms", "400 ms ago".
std::string from_now(std::int64_t unix_ms) {
  const std::int64_t left = unix_ms - unix_now_ms();
  return left >= 0 ? "in " + std::to_string(left) + " ms" : std::to_string(-left) + " ms ago";
}

std::string of_message(const swapmq_message& message) {
  std::string line = " of " + counted(message.body.size, "byte");
  if (message.header_count != 0) line += ", " + counted(message.header_count, "header");
  if (message.due_at_ms != 0) line += ", due " + from_now(message.due_at_ms);
  if (message.expires_at_ms != 0) line += ", expires " + from_now(message.expires_at_ms);
  if (message.priority != 0) line += ", priority " + std::to_string(message.priority);
  return line;
}

std::string of_settlement(const swapmq_settlement& settlement) {
  constexpr std::array<const char*, 5> kActions = {"no action", "ack", "nack", "release",
                                                   "dead-letter"};
  const bool known = settlement.action > 0 && settlement.action < 5;
  std::string line = known ? kActions[static_cast<std::size_t>(settlement.action)]
                           : "action " + std::to_string(settlement.action);
  if (settlement.due_at_ms != 0) line += " due " + from_now(settlement.due_at_ms);
  if (settlement.delivery == nullptr) line += " of no delivery";
  return line;
}

bool settlements_readable(const swapmq_exchange_args& args) {
  return args.settlements != nullptr && args.settlement_size >= sizeof(swapmq_settlement);
}

} // namespace

std::string until(std::int64_t deadline_ns) {
  const std::int64_t now =
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  const auto ms = std::llround(static_cast<double>(deadline_ns - now) / 1e6);
  if (ms <= 0) return "no wait";
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string quoted(swapmq_bytes text) {
  if (text.data == nullptr) return text.size == 0 ? "\"\"" : "at NULL";
  return printable(view(text), kMostName);
}

std::string counted(std::uint64_t count, const char* what) {
  const std::string text = what;
  const bool y = text.back() == 'y'; // delivery, deliveries
  return std::to_string(count) + " " +
         (count == 1 ? text
          : y        ? text.substr(0, text.size() - 1) + "ies"
                     : text + "s");
}

std::string of_role(std::int32_t role) {
  constexpr std::array<const char*, 4> kRoles = {"", "publish", "consume", "admin"};
  return role > 0 && role < 4 ? kRoles[static_cast<std::size_t>(role)]
                              : "role " + std::to_string(role);
}

std::string of_spec(const swapmq_queue_spec* spec) {
  if (spec == nullptr) return ", no spec";
  std::string line;
  if ((spec->flags & SWAPMQ_QUEUE_STRICT_ORDER) != 0) line += ", strict order";
  if (spec->max_length != 0) line += ", max_length " + std::to_string(spec->max_length);
  return line;
}

std::string of_publish(const swapmq_publish_args* args) {
  if (args == nullptr) return "args NULL";
  if (args->struct_size < sizeof *args) {
    return "args of " + std::to_string(args->struct_size) + " bytes";
  }
  std::string line = counted(args->count, "message");
  if (args->messages == nullptr) return line + " at NULL";
  if (args->message_size < sizeof(swapmq_message)) {
    return line + ", message_size " + std::to_string(args->message_size);
  }
  if (args->count == 1) line += of_message(*args->messages);
  if (args->results == nullptr) line += ", results NULL";
  return line + ", " + until(args->deadline_ns);
}

std::string of_subscribe(const swapmq_subscribe_args* args) {
  if (args == nullptr) return "args NULL";
  if (args->struct_size < sizeof *args) {
    return "args of " + std::to_string(args->struct_size) + " bytes";
  }
  std::string line = "prefetch " + std::to_string(args->prefetch);
  if (args->lease_ms != 0) line += ", lease " + std::to_string(args->lease_ms) + " ms";
  return line + ", " + until(args->deadline_ns);
}

std::string of_exchange(const swapmq_exchange_args* args) {
  if (args == nullptr) return "args NULL";
  if (args->struct_size < sizeof *args) {
    return "args of " + std::to_string(args->struct_size) + " bytes";
  }
  std::string line;
  if (args->settlement_count != 0) {
    line = counted(args->settlement_count, "settlement");
    std::vector<std::string> each;
    for (std::uint64_t i = 0; settlements_readable(*args) && i < args->settlement_count; ++i) {
      each.push_back(of_settlement(element(args->settlements, args->settlement_size, i)));
    }
    if (args->settlements == nullptr) line += " at NULL";
    if (!each.empty()) line += ": " + runs(each);
    line += "; ";
  }
  line += "up to " + counted(args->max_messages, "message");
  if (args->max_bytes != 0) line += " and " + counted(args->max_bytes, "byte");
  if ((args->flags & SWAPMQ_EXCHANGE_MAY_PEND) != 0) line += ", may pend";
  return line + ", " + until(args->deadline_ns);
}

std::string came(swapmq_status status, const swapmq_error* error) {
  std::string line = status_name(status);
  if (status == SWAPMQ_OK || status == SWAPMQ_INTERRUPTED || error == nullptr) return line;
  const std::uint32_t size = std::min(error->message_length, error->message_capacity);
  if (error->message == nullptr || size == 0) return line;
  return line + " " + printable({error->message, size}, kMostError);
}

std::string came_of_publish(const swapmq_publish_args* args) {
  if (args == nullptr || args->struct_size < sizeof *args || args->results == nullptr ||
      args->result_size < sizeof(swapmq_publish_result)) {
    return {};
  }
  std::vector<std::string> each;
  for (std::uint64_t i = 0; i < args->count; ++i) {
    const auto& result = element(args->results, args->result_size, i);
    const std::string why = std::string(" (") + status_name(result.status) + ")";
    if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) each.emplace_back("confirmed");
    if (result.outcome == SWAPMQ_PUBLISH_FAILED) each.push_back("failed" + why);
    if (result.outcome == SWAPMQ_PUBLISH_IN_DOUBT) each.push_back("in doubt" + why);
    if (result.outcome == SWAPMQ_PUBLISH_UNTOUCHED) each.emplace_back("untouched");
  }
  return each.empty() ? std::string() : ", " + runs(each);
}

std::string came_of_settlements(const swapmq_exchange_args* args) {
  if (args == nullptr || args->struct_size < sizeof *args || args->settlement_count == 0 ||
      args->settlement_results == nullptr) {
    return {};
  }
  std::vector<std::string> each;
  for (std::uint64_t i = 0; i < args->settlement_count; ++i) {
    each.emplace_back(status_name(args->settlement_results[i]));
  }
  return ", settled: " + runs(each);
}

std::string came_of_batch(const swapmq_batch* batch) {
  if (batch == nullptr) return ", nothing";
  if (batch->struct_size < sizeof *batch) return ", a batch that is too small";
  std::string line = ", " + counted(batch->count, "delivery");
  if (batch->count == 1 && batch->deliveries != nullptr &&
      batch->delivery_size >= sizeof(swapmq_delivery)) {
    line += " (count " + std::to_string(batch->deliveries->delivery_count) + ")";
  }
  return line;
}

} // namespace swapmq::contract::words

// SPDX-License-Identifier: MIT
//
// Session::publish: splits by the plugin's limits, and makes of whatever the plugin left in the
// results one of the three outcomes for each message.
#include <algorithm>
#include <string>

#include "plugin/session.h"
#include "plugin/session_call.h"
#include "plugin/views.h"

namespace swapmq::plugin {
namespace {

constexpr swapmq_publish_result kUntouched = {SWAPMQ_PUBLISH_UNTOUCHED, SWAPMQ_STATUS_UNTOUCHED, 0,
                                              0};

swapmq_publish_result failed(swapmq_status status, std::uint32_t flags = 0) {
  return {SWAPMQ_PUBLISH_FAILED, status, flags & SWAPMQ_ERROR_RETRYABLE, 0};
}

bool beyond(std::uint64_t value, std::uint64_t limit) { return limit != 0 && value > limit; }

std::string too_much(const char* what, std::uint64_t value, const char* unit, std::uint64_t limit) {
  return std::string(what) + std::to_string(value) + unit + "; the backend takes at most " +
         std::to_string(limit);
}

/// Which limit the message is beyond; empty: none.
std::string what_is_too_large(const swapmq_message& message, const swapmq_limits& limits) {
  if (beyond(message.body.size, limits.max_body_bytes)) {
    return too_much("the body has ", message.body.size, " bytes", limits.max_body_bytes);
  }
  if (beyond(message.header_count, limits.max_header_count)) {
    return too_much("there are ", message.header_count, " headers", limits.max_header_count);
  }
  if (limits.max_headers_bytes == 0) return {};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const swapmq_header& header = header_at(message, i);
    bytes += header.name.size + header.value.size;
  }
  if (!beyond(bytes, limits.max_headers_bytes)) return {};
  return too_much("the headers have ", bytes, " bytes", limits.max_headers_bytes);
}

bool worth_another_attempt(const swapmq_publish_result& result) {
  return result.outcome == SWAPMQ_PUBLISH_IN_DOUBT || (result.flags & SWAPMQ_ERROR_RETRYABLE) != 0;
}

/// The messages from the front that go into one call.
std::size_t run_length(std::span<const swapmq_message> messages, const swapmq_limits& limits) {
  const std::size_t cap =
      limits.max_publish_batch == 0 ? messages.size() : limits.max_publish_batch;
  std::size_t length = 0;
  while (length < std::min(cap, messages.size()) &&
         what_is_too_large(messages[length], limits).empty()) {
    ++length;
  }
  return length;
}

/// The rule that a result of a plugin breaks, or null. Sets what follows from a broken one: nobody
/// knows whether the message is stored, unless the plugin says that it is not.
const char* repair(swapmq_publish_result& result) {
  result.flags &= SWAPMQ_ERROR_RETRYABLE;
  result.reserved = 0;
  switch (result.outcome) {
    case SWAPMQ_PUBLISH_CONFIRMED:
      result.status = SWAPMQ_OK;
      result.flags = 0;
      return nullptr;
    case SWAPMQ_PUBLISH_FAILED:
    case SWAPMQ_PUBLISH_IN_DOUBT:
      if (is_known(result.status) && result.status != SWAPMQ_OK) return nullptr;
      result.status = SWAPMQ_INTERNAL;
      return "a publish result that is not confirmed has no status that says why";
    default:
      result = {SWAPMQ_PUBLISH_IN_DOUBT, SWAPMQ_INTERNAL, 0, 0};
      return "a publish result has an outcome unknown to the ABI";
  }
}

} // namespace

Error Session::check_results(swapmq_status status, const ErrorBuffer& buffer,
                             std::span<swapmq_publish_result> results) {
  const char* rule = nullptr;
  for (swapmq_publish_result& result : results) {
    const char* broken_here = nullptr;
    if (result.outcome != SWAPMQ_PUBLISH_UNTOUCHED) {
      broken_here = repair(result);
    } else if (status == SWAPMQ_OK) {
      broken_here = "it returned OK and left a message without a result";
      result = {SWAPMQ_PUBLISH_IN_DOUBT, SWAPMQ_INTERNAL, 0, 0};
    } else if (is_known(status)) {
      result = failed(status, buffer.flags());
    } else { // what it meant cannot be known
      result = {SWAPMQ_PUBLISH_IN_DOUBT, SWAPMQ_INTERNAL, 0, 0};
    }
    if (rule == nullptr) rule = broken_here;
  }
  return rule == nullptr ? Error() : broken("publish", rule);
}

Error Session::publish_run(swapmq_queue* queue, std::span<const swapmq_message> messages,
                           std::span<swapmq_publish_result> results, Deadline deadline,
                           std::optional<swapmq_publish_result>& not_sent) {
  std::ranges::fill(results, kUntouched);
  swapmq_publish_args args{};
  args.struct_size = sizeof args;
  args.message_size = sizeof(swapmq_message);
  args.result_size = sizeof(swapmq_publish_result);
  args.messages = messages.data();
  args.count = messages.size();
  args.results = results.data();
  args.deadline_ns = to_ns(deadline);

  ErrorBuffer buffer;
  swapmq_status status = SWAPMQ_INTERNAL;
  {
    const CallChecker::Scope scope(checker_.get(), "publish", &deadline);
    status = vtable().publish(handle_, queue, &args, buffer.lend());
  }
  Error error = call_ended("publish", status, buffer);
  Error wrong = check_results(status, buffer, results);
  if (status != SWAPMQ_OK) {
    not_sent = failed(is_known(status) ? status : SWAPMQ_INTERNAL, buffer.flags());
  }
  return error ? error : wrong;
}

Error Session::publish(swapmq_queue* queue, std::span<const swapmq_message> messages,
                       std::span<swapmq_publish_result> results, Deadline deadline) {
  if (messages.size() != results.size()) {
    std::ranges::fill(results, failed(SWAPMQ_INVALID_ARGUMENT));
    return {Errc::invalid_argument, "publish: one result is needed for each message"};
  }
  Error first;
  for (std::size_t done = 0; done < messages.size();) {
    const auto rest = messages.subspan(done);
    const std::size_t length = run_length(rest, backend_->limits());
    if (length == 0) {
      if (!first) first = {Errc::too_large, what_is_too_large(rest[0], backend_->limits())};
      results[done++] = failed(SWAPMQ_TOO_LARGE);
      continue;
    }
    std::optional<swapmq_publish_result> not_sent;
    Error error =
        publish_run(queue, rest.first(length), results.subspan(done, length), deadline, not_sent);
    if (!first) first = std::move(error);
    const auto again = std::ranges::find_if(results.subspan(done, length), worth_another_attempt);
    if (!not_sent && again != results.subspan(done, length).end()) {
      not_sent = failed(again->status, SWAPMQ_ERROR_RETRYABLE);
    }
    done += length;
    if (!not_sent) continue;
    // Going on after a call that failed, in whole or in part, could publish later messages before
    // the earlier ones.
    std::ranges::fill(results.subspan(done), *not_sent);
    break;
  }
  return first;
}

} // namespace swapmq::plugin

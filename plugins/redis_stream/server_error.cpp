// SPDX-License-Identifier: MIT
#include "server_error.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace swapmq::redis {
namespace {

constexpr uint32_t kRetryable = SWAPMQ_ERROR_RETRYABLE;

struct Code {
  std::string_view code;
  Meaning meaning;
};

constexpr std::array kCodes{
    Code{"LOADING", {SWAPMQ_UNAVAILABLE, kRetryable, "it is reading its data from disk: wait"}},
    Code{"READONLY",
         {SWAPMQ_UNAVAILABLE, kRetryable, "it is a replica: name the master, or promote this one"}},
    Code{"MOVED",
         {SWAPMQ_NOT_SUPPORTED, 0, "it is part of a cluster whose other nodes hold this queue"}},
    Code{"ASK", {SWAPMQ_NOT_SUPPORTED, 0, "it is part of a cluster that moves this queue"}},
    Code{"CROSSSLOT", {SWAPMQ_NOT_SUPPORTED, 0, "the two queues are in different cluster slots"}},
    Code{"CLUSTERDOWN", {SWAPMQ_UNAVAILABLE, kRetryable, "its cluster is down"}},
    Code{"TRYAGAIN", {SWAPMQ_UNAVAILABLE, kRetryable, "its cluster moves this queue"}},
    Code{"OOM",
         {SWAPMQ_RESOURCE_EXHAUSTED, kRetryable,
          "its maxmemory is used up: raise it, or consume what is there"}},
    Code{"MISCONF",
         {SWAPMQ_RESOURCE_EXHAUSTED, kRetryable,
          "it cannot write to its disk: look at its log and its free space"}},
    Code{"NOAUTH", {SWAPMQ_ACCESS_DENIED, 0, R"(it wants a password: give "password")"}},
    Code{"WRONGPASS", {SWAPMQ_ACCESS_DENIED, 0, R"(it does not accept "username" and "password")"}},
    Code{"NOPERM",
         {SWAPMQ_ACCESS_DENIED, 0, "its ACL does not allow this user a command or a key"}},
    Code{
        "NOREPLICAS",
        {SWAPMQ_UNAVAILABLE, kRetryable, "too few of its replicas follow (min-replicas-to-write)"}},
    Code{"MASTERDOWN", {SWAPMQ_UNAVAILABLE, kRetryable, "it is a replica without its master"}},
    Code{"BUSY", {SWAPMQ_UNAVAILABLE, kRetryable, "a script keeps it busy"}},
    Code{"NOSCRIPT", {SWAPMQ_UNAVAILABLE, kRetryable, "its scripts were flushed"}},
    Code{"NOGROUP", {SWAPMQ_NOT_FOUND, kRetryable, "the queue or its group is gone"}},
    Code{"UNBLOCKED", {SWAPMQ_NOT_FOUND, kRetryable, "the queue is gone"}},
    Code{"WRONGTYPE",
         {SWAPMQ_CONFLICT, 0,
          "a key of the queue's name holds something other than a stream: use another name or "
          "\"key_prefix\""}},
    Code{"EXECABORT", {SWAPMQ_UNAVAILABLE, kRetryable, "it refused a part of the transaction"}},
};

// Of an error reply, as it goes into a text.
constexpr std::size_t kQuoted = 300;

/// Where a script met an error, Redis before 7.0 says "ERR Error running script (call to f_SHA):
/// @user_script:LINE: ERROR", the place perhaps twice and the error with its '-'. Empty: it is no
/// such error.
std::string_view met_by_script(std::string_view error_reply) {
  constexpr std::string_view kPlace = "@user_script:";
  if (!error_reply.starts_with("ERR Error running script")) return {};
  const std::size_t at = error_reply.find(kPlace);
  if (at == std::string_view::npos) return {};
  std::string_view rest = error_reply.substr(at);
  while (rest.starts_with(kPlace)) {
    rest.remove_prefix(kPlace.size());
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" :0123456789")));
  }
  if (rest.starts_with('-')) rest.remove_prefix(1);
  return rest;
}

} // namespace

Meaning meaning_of(std::string_view error_reply) {
  const auto* known = std::find_if(kCodes.begin(), kCodes.end(), [&](const Code& code) {
    return has_code(error_reply, code.code);
  });
  if (known != kCodes.end()) return known->meaning;
  if (error_reply.starts_with("ERR max number of clients")) {
    return {SWAPMQ_UNAVAILABLE, kRetryable, "raise its maxclients, or use fewer connections"};
  }
  if (error_reply.starts_with("ERR unknown command")) {
    return {SWAPMQ_NOT_SUPPORTED, 0, "it lacks a command; Redis 6.2 or newer is needed"};
  }
  const std::string_view met = met_by_script(error_reply);
  if (!met.empty()) return meaning_of(met);
  return {SWAPMQ_INTERNAL, 0, "this was not expected of it"};
}

backend::Failure server_failure(std::string_view doing, std::string_view error_reply) {
  const Meaning meaning = meaning_of(error_reply);
  std::string text = "Redis refused " + std::string(doing) + ": " + meaning.hint + " (" +
                     std::string(error_reply.substr(0, kQuoted)) + ")";
  // An error is one line, and does nothing to a terminal.
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return {meaning.status, std::move(text), meaning.flags};
}

} // namespace swapmq::redis

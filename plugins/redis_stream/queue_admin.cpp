// SPDX-License-Identifier: MIT
#include "queue_admin.hpp"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "answers.hpp"
#include "entry_id.hpp"
#include "scripts.hpp"
#include "server_error.hpp"

namespace swapmq::redis {
namespace {

using backend::Deadline;
using backend::Failure;

/// So that a prefix means itself in a MATCH pattern.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]^\\-").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// The most that the names of a list may take: what a server that lists without end can make us
// hold.
constexpr std::size_t kMostNameBytes = std::size_t{256} << 20;

/// The bytes of an element that is due to be a string.
std::string_view text_of(const Reply& reply, std::string_view doing) {
  if (!reply.is_text()) no_answer(doing);
  return reply.text;
}

/// Gives the milliseconds of the newest id that the stream made; 0 if there is no stream.
uint64_t delete_keys(Connection& connection, const QueueKeys& keys, Deadline deadline) {
  constexpr std::string_view kDoing = "to delete a queue";
  connection.out().add("TYPE", keys.stream);
  const OwnedReply type = connection.read(deadline);
  if (type->is_error()) throw server_failure("TYPE", type->text);
  const std::string_view kind = text_of(*type, "TYPE");
  // A key of another type is somebody else's.
  if (kind != "stream" && kind != "none") throw server_failure(kDoing, "WRONGTYPE");
  connection.out().add("XINFO", "STREAM", keys.stream);
  connection.out().add("UNLINK", keys.stream, keys.due, keys.scheduled, keys.later, keys.expiry,
                       keys.claimed);
  const OwnedReply info = connection.read(deadline);
  expect_integer(*connection.read(deadline), 0, 6, kDoing);
  const Reply* key = info->is_array() ? info->first : nullptr;
  for (; key != nullptr && key->next != nullptr; key = key->next->next) {
    EntryId id;
    if (key->text == "last-generated-id" && parse(key->next->text, id)) return id.ms;
  }
  return 0;
}

uint64_t server_ms(Connection& connection, Deadline deadline) {
  connection.out().add("TIME");
  const OwnedReply reply = connection.read(deadline);
  const Reply* at = expect_array(*reply, 2, "TIME");
  uint64_t parts[2] = {0, 0}; // seconds, microseconds
  for (uint64_t& part : parts) {
    const std::string_view text = text_of(*at, "TIME");
    std::from_chars(text.data(), text.data() + text.size(), part);
    at = at->next;
  }
  return parts[0] * 1000 + parts[1] / 1000;
}

} // namespace

void append_group_creation(Commands& out, const QueueKeys& keys, bool make_stream) {
  out.begin(make_stream ? 6 : 5).arg("XGROUP").arg("CREATE").arg(keys.stream).arg(keys.group);
  out.arg("0");
  if (make_stream) out.arg("MKSTREAM");
}

void expect_group(const Reply& reply) {
  if (reply.is_error() && has_code(reply.text, "BUSYGROUP")) return;
  expect_status(reply, "OK", "to make a queue");
}

void create_queue(Link& link, const QueueKeys& keys, Deadline deadline) {
  link.use(deadline, [&](Connection& connection) {
    append_group_creation(connection.out(), keys, true);
    expect_group(*connection.read(deadline));
  });
}

void delete_queue(Link& link, const QueueKeys& keys, Deadline deadline) {
  link.use(deadline, [&](Connection& connection) {
    const uint64_t newest_ms = delete_keys(connection, keys, deadline);
    // A stream that is made anew begins its ids with the time: in the millisecond of the last one
    // they would be given twice, and an ack that comes late would remove another message.
    constexpr int kTries = 10; // not for ever, should the server's clock have been set back
    for (int i = 0; i < kTries && server_ms(connection, deadline) <= newest_ms; ++i) {
      poll(nullptr, 0, 1);
    }
  });
}

void read_queue_stats(Link& link, const QueueKeys& keys, swapmq_queue_stats& stats,
                      Deadline deadline) {
  link.use(deadline, [&](Connection& connection) {
    for (;;) {
      const OwnedReply reply = run_script(connection, deadline, [&] {
        begin_call(connection, scripts::stats(),
                   {keys.stream, keys.due, keys.scheduled, keys.later, keys.expiry, keys.claimed},
                   1)
            .arg(keys.group);
      });
      constexpr std::string_view kDoing = "to read a queue's sizes";
      const Reply* at = expect_array(*reply, 5, kDoing);
      stats.exists = static_cast<int32_t>(expect_integer(*at, 0, 1, kDoing));
      for (uint64_t* size : {&stats.ready, &stats.unacked, &stats.delayed}) {
        at = at->next;
        *size = static_cast<uint64_t>(expect_integer(*at, 0, INT64_MAX, kDoing));
      }
      // Else more have expired than one call removes.
      if (expect_integer(*at->next, 0, 1, kDoing) == 0) break;
    }
    stats.ready_precision = SWAPMQ_STAT_EXACT;
    stats.unacked_precision = SWAPMQ_STAT_EXACT;
    stats.delayed_precision = SWAPMQ_STAT_EXACT;
    stats.atomic = 1;
  });
}

uint64_t purge_queue(Link& link, const QueueKeys& keys, Deadline deadline) {
  constexpr int kAtOnce = 1000;
  uint64_t removed = 0;
  std::string last;
  return link.use(deadline, [&](Connection& connection) {
    for (;;) {
      const OwnedReply reply = run_script(connection, deadline, [&] {
        begin_call(connection, scripts::purge(),
                   {keys.stream, keys.due, keys.scheduled, keys.later, keys.expiry}, 3)
            .arg(keys.group)
            .arg(kAtOnce)
            .arg(last);
      });
      constexpr std::string_view kDoing = "to purge a queue";
      const Reply* at = expect_array(*reply, 3, kDoing);
      removed += static_cast<uint64_t>(expect_integer(*at, 0, INT64_MAX, kDoing));
      last = text_of(*at->next->next, kDoing);
      if (expect_integer(*at->next, 0, 1, kDoing) == 0) return removed;
    }
  });
}

std::vector<std::string> list_queues(Link& link, const std::string& key_prefix, Deadline deadline) {
  constexpr std::string_view kDoing = "to list its keys";
  std::vector<std::string> names;
  std::size_t bytes = 0;
  link.use(deadline, [&](Connection& connection) {
    const std::string pattern = escaped(key_prefix) + "*";
    std::string cursor = "0";
    do {
      connection.out().add("SCAN", cursor, "MATCH", pattern, "COUNT", 1000, "TYPE", "stream");
      const OwnedReply reply = connection.read(deadline);
      const Reply* at = expect_array(*reply, 2, kDoing);
      cursor = text_of(*at, kDoing);
      const Reply* key = expect_array(*at->next, 0, kDoing);
      for (; key != nullptr; key = key->next) {
        const std::string_view name = text_of(*key, kDoing);
        if (!name.starts_with(key_prefix)) no_answer(kDoing);
        if (name.starts_with(kOwnKeys)) continue;
        names.emplace_back(name.substr(key_prefix.size()));
        bytes += name.size() + sizeof(std::string);
      }
      if (bytes > kMostNameBytes) {
        throw Failure(SWAPMQ_RESOURCE_EXHAUSTED, "Redis has more queues than can be listed");
      }
    } while (cursor != "0");
  });
  std::erase(names, "");
  std::sort(names.begin(), names.end()); // SCAN may give one twice
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

} // namespace swapmq::redis

// SPDX-License-Identifier: MIT
#include "queue_admin.hpp"

#include <poll.h>

#include <algorithm>
#include <charconv>

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

const Reply& expect(const OwnedReply& reply, std::string_view doing) {
  if (reply->is_error()) throw server_failure(doing, reply->text);
  return *reply;
}

/// Gives the milliseconds of the newest id that the stream made; 0 if there is no stream.
uint64_t delete_keys(Connection& connection, const QueueKeys& keys, Deadline deadline) {
  connection.out().add("TYPE", keys.stream);
  const OwnedReply type = connection.read(deadline);
  if (expect(type, "TYPE").text != "stream" && type->text != "none") {
    throw server_failure("to delete a queue", "WRONGTYPE"); // it is somebody else's
  }
  connection.out().add("XINFO", "STREAM", keys.stream);
  connection.out().add("UNLINK", keys.stream, keys.due, keys.scheduled, keys.later, keys.expiry);
  const OwnedReply info = connection.read(deadline);
  expect(connection.read(deadline), "to delete a queue");
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
  const Reply* seconds = expect(reply, "TIME").first;
  if (reply->count < 2) throw Failure(SWAPMQ_INTERNAL, "TIME answered too little");
  uint64_t parts[2] = {0, 0};
  const Reply* at = seconds;
  for (uint64_t& part : parts) {
    std::from_chars(at->text.data(), at->text.data() + at->text.size(), part);
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
  if (reply.is_error() && !has_code(reply.text, "BUSYGROUP")) {
    throw server_failure("to make a queue", reply.text);
  }
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
                   {keys.stream, keys.due, keys.scheduled, keys.later, keys.expiry}, 1)
            .arg(keys.group);
      });
      const Reply* at = expect(reply, "to read a queue's sizes").first;
      if (reply->count < 5) throw Failure(SWAPMQ_INTERNAL, "a script answered too little");
      stats.exists = static_cast<int32_t>(at->integer);
      for (uint64_t* size : {&stats.ready, &stats.unacked, &stats.delayed}) {
        at = at->next;
        *size = static_cast<uint64_t>(std::max<int64_t>(0, at->integer));
      }
      if (at->next->integer == 0) break; // else more have expired than one call removes
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
      const Reply* at = expect(reply, "to purge a queue").first;
      if (reply->count < 3) throw Failure(SWAPMQ_INTERNAL, "a script answered too little");
      removed += static_cast<uint64_t>(at->integer);
      last = at->next->next->text;
      if (at->next->integer == 0) return removed;
    }
  });
}

std::vector<std::string> list_queues(Link& link, const std::string& key_prefix, Deadline deadline) {
  std::vector<std::string> names;
  link.use(deadline, [&](Connection& connection) {
    const std::string pattern = escaped(key_prefix) + "*";
    std::string cursor = "0";
    do {
      connection.out().add("SCAN", cursor, "MATCH", pattern, "COUNT", 1000, "TYPE", "stream");
      const OwnedReply reply = connection.read(deadline);
      const Reply* at = expect(reply, "to list its keys").first;
      if (reply->count < 2) throw Failure(SWAPMQ_INTERNAL, "SCAN answered too little");
      cursor = at->text;
      for (const Reply* key = at->next->first; key != nullptr; key = key->next) {
        if (key->text.starts_with(kOwnKeys)) continue;
        names.emplace_back(key->text.substr(key_prefix.size()));
      }
    } while (cursor != "0");
  });
  std::erase(names, "");
  std::sort(names.begin(), names.end()); // SCAN may give one twice
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

} // namespace swapmq::redis

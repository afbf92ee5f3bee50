// SPDX-License-Identifier: MIT
#include "redis.h"

#include <algorithm>
#include <initializer_list>
#include <stdexcept>

#include "../broker/ids.h"
#include "entry_writer.h"

namespace bench {
namespace {

constexpr std::size_t page = 1000;

std::string group_of(std::string_view queue) { return std::string(queue) + "_group"; }

} // namespace

void Redis::command(std::initializer_list<std::string_view> words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) append_argument(request, word);
  connection_.send(request);
}

void Redis::fill(std::string_view queue, std::string_view body, std::span<const Id> ids) {
  command({"XGROUP", "CREATE", queue, group_of(queue), "0", "MKSTREAM"});
  replies_.skip(1);
  EntryWriter writer(queue, body);
  writer.set_time(unix_ms());
  std::vector<char> buffer(writer.size() * page);
  while (!ids.empty()) {
    const auto some = ids.first(std::min(page, ids.size()));
    char* end = buffer.data();
    for (const Id& id : some) end = writer.write(end, id);
    connection_.send({buffer.data(), static_cast<std::size_t>(end - buffer.data())});
    replies_.skip(some.size());
    ids = ids.subspan(some.size());
  }
}

std::vector<Id> Redis::ids(std::string_view queue, std::string_view body) {
  std::vector<Id> found;
  std::string from = "-";
  while (true) {
    command({"XRANGE", queue, from, "+", "COUNT", std::to_string(page)});
    const std::int64_t count = replies_.array();
    for (std::int64_t entry = 0; entry < count; ++entry) {
      replies_.array(); // the entry's id and fields
      from = "(" + std::string(replies_.text());
      const std::int64_t fields = replies_.array() / 2;
      for (std::int64_t field = 0; field < fields; ++field) {
        const std::string name(replies_.text());
        const std::string_view value = replies_.text();
        if (name == "data" && value != body) throw std::runtime_error("a body is not as published");
        if (name != "message_id") continue;
        keep(found.emplace_back(), value);
      }
    }
    if (count < static_cast<std::int64_t>(page)) return found;
  }
}

std::size_t Redis::left(std::string_view queue) {
  constexpr std::string_view script =
      "return redis.call('XLEN', KEYS[1]) + redis.call('XPENDING', KEYS[1], ARGV[1])[1]";
  command({"EVAL", script, "1", queue, group_of(queue)});
  return static_cast<std::size_t>(replies_.integer());
}

void Redis::clear(std::string_view /*queue*/) {
  command({"FLUSHALL", "SYNC"});
  replies_.skip(1);
}

} // namespace bench

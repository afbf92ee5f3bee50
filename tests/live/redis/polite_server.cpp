// SPDX-License-Identifier: MIT
#include "polite_server.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <utility>

#include "resp.hpp"
#include "scripts.hpp"

namespace swapmq::live {

namespace {

constexpr std::array kNames{"hello",
                            "auth",
                            "set_name",
                            "select",
                            "ping",
                            "xadd",
                            "wait",
                            "xgroup",
                            "set",
                            "pexpire",
                            "xreadgroup",
                            "xdel",
                            "xack",
                            "xpending",
                            "unblock",
                            "type",
                            "unlink",
                            "scan",
                            "script_publish",
                            "script_take",
                            "script_give_back",
                            "script_leave",
                            "script_ack_fenced",
                            "script_dead_letter",
                            "script_stats",
                            "script_purge",
                            "script_claim",
                            "script_settle_claimed"};
static_assert(kNames.size() == static_cast<std::size_t>(Place::none));

Place script_of(const std::string& text_or_sha) {
  namespace scripts = redis::scripts;
  const std::array<std::pair<const redis::Script*, Place>, 10> all{
      {{&scripts::publish(), Place::script_publish},
       {&scripts::take(), Place::script_take},
       {&scripts::give_back(), Place::script_give_back},
       {&scripts::leave(), Place::script_leave},
       {&scripts::ack_fenced(), Place::script_ack_fenced},
       {&scripts::dead_letter(), Place::script_dead_letter},
       {&scripts::stats(), Place::script_stats},
       {&scripts::purge(), Place::script_purge},
       {&scripts::claim(), Place::script_claim},
       {&scripts::settle_claimed(), Place::script_settle_claimed}}};
  for (const auto& [script, place] : all) {
    if (text_or_sha == script->text || text_or_sha == script->sha) return place;
  }
  return Place::none;
}

std::string ones(std::size_t count) {
  std::string all = "*" + std::to_string(count) + "\r\n";
  for (std::size_t i = 0; i < count; ++i) all += ":1\r\n";
  return all;
}

} // namespace

const char* name_of(Place place) { return kNames.at(static_cast<std::size_t>(place)); }

std::vector<Place> all_places() {
  std::vector<Place> all;
  for (std::size_t i = 0; i < kNames.size(); ++i) all.push_back(static_cast<Place>(i));
  return all;
}

Place place_of(const Command& command) {
  const std::string& word = command.front();
  if ((word == "EVAL" || word == "EVALSHA") && command.size() > 1) return script_of(command[1]);
  if (word == "CLIENT") {
    const std::string second = command.size() > 1 ? command[1] : "";
    return second == "SETNAME"   ? Place::set_name
           : second == "UNBLOCK" ? Place::unblock
                                 : Place::none;
  }
  constexpr std::array kWords{"HELLO", "AUTH",     "",    "SELECT",  "PING",       "XADD",
                              "WAIT",  "XGROUP",   "SET", "PEXPIRE", "XREADGROUP", "XDEL",
                              "XACK",  "XPENDING", "",    "TYPE",    "UNLINK",     "SCAN"};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (word == kWords[i]) return static_cast<Place>(i);
  }
  return Place::none;
}

std::string entries(const std::string& id, const std::vector<std::string>& fields) {
  return "*1\r\n*2\r\n" + resp::bulk("q") + "*1\r\n*2\r\n" + resp::bulk(id) + resp::command(fields);
}

std::string proper_answer(Place place, const Command& command) {
  switch (place) {
    case Place::hello:
    case Place::set_name:
    case Place::auth:
    case Place::select:
    case Place::ping:
      return usual_answer(command, "7.0.15").bytes;
    case Place::xadd:
      return "$15\r\n1700000000000-7\r\n";
    case Place::xgroup:
    case Place::set:
      return "+OK\r\n";
    case Place::xreadgroup:
      return entries("1700000000000-7", {"message_id", "m", "data", "body"});
    case Place::xdel: // key, ids
      return ":" + std::to_string(command.size() - 2) + "\r\n";
    case Place::xack: // key, group, ids
      return ":" + std::to_string(command.size() - 3) + "\r\n";
    case Place::xpending:
      return "*0\r\n";
    case Place::type:
      return "+stream\r\n";
    case Place::scan:
      return "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nq\r\n";
    case Place::script_publish:
      return resp::bulk("stored");
    case Place::script_take:
      return "*3\r\n:-1\r\n:-1\r\n:0\r\n";
    case Place::script_give_back: // text, 4, keys, group, consumer, five for each
      return ones((command.size() - 9) / 5);
    case Place::script_ack_fenced: // text, 1, key, group, consumer, two for each
      return ones((command.size() - 6) / 2);
    case Place::script_leave:
      return ":0\r\n";
    case Place::script_stats:
      return "*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n:0\r\n";
    case Place::script_purge:
      return "*3\r\n:5\r\n:0\r\n$3\r\n0-0\r\n";
    case Place::script_claim:
      return "*5\r\n:0\r\n" + resp::bulk("later:1-1") +
             resp::command({"message_id", "m", "data", "body"}) + ":0\r\n:9000000000000\r\n";
    case Place::script_settle_claimed: // text, 6, keys, group, consumer, four for each
      return ones((command.size() - 11) / 4);
    default:
      return ":1\r\n";
  }
}

Script polite(PlaceScript script) {
  // Entries have different ids.
  auto reads = std::make_shared<std::atomic<uint64_t>>(0);
  return [script = std::move(script), reads](const Command& command) -> std::optional<Answer> {
    const Place place = place_of(command);
    if (place == Place::none) return std::nullopt;
    if (script) {
      if (auto said = script(place, command)) return said;
    }
    if (place == Place::xreadgroup) {
      return Answer(entries("1700000000000-" + std::to_string(++*reads),
                            {"message_id", "m", "data", "body"}));
    }
    return Answer(proper_answer(place, command));
  };
}

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
#include "redis_setup.hpp"

#include <array>
#include <utility>

#include "../support/text.hpp"

namespace swapmq::live {

namespace {

constexpr std::array kQueueCommands = {
    "xadd",      "xreadgroup", "xack",          "xdel",   "xgroup", "xinfo",   "xlen",   "xrange",
    "xrevrange", "xpending",   "xclaim",        "xtrim",  "eval",   "evalsha", "script", "zadd",
    "zrem",      "zrange",     "zrangebyscore", "zcount", "zcard",  "zscore",  "set",    "pexpire",
    "exists",    "del",        "unlink",        "type",   "scan",   "ping",    "select", "hello",
    "auth",      "client",     "wait",          "time"};

// With what a URL must escape, so that it is.
constexpr const char* kPassword = "s3cret/with:all@of%it";

RedisSetup with(void (*change)(RedisSetup&)) {
  RedisSetup setup;
  change(setup);
  return setup;
}

const std::vector<std::pair<std::string, RedisSetup>>& all_setups() {
  using Setup = RedisSetup;
  static const std::vector<std::pair<std::string, Setup>> all{
      {"plain", {}},
      {"tls", with([](Setup& s) { s.listen = Setup::Listen::tls; })},
      {"unix", with([](Setup& s) { s.listen = Setup::Listen::unix_socket; })},
      {"acl", with([](Setup& s) { s.user = "queues", s.password = kPassword; })},
      {"requirepass", with([](Setup& s) { s.password = kPassword; })},
      {"aof_always", with([](Setup& s) { s.keep = Setup::Keep::always; })},
      {"aof_everysec", with([](Setup& s) { s.keep = Setup::Keep::every_second; })},
      {"maxmemory", with([](Setup& s) { s.maxmemory = 16 << 20; })},
  };
  return all;
}

} // namespace

std::optional<RedisSetup> redis_setup(std::string_view name) {
  for (const auto& [known, setup] : all_setups()) {
    if (known == name) return setup;
  }
  return std::nullopt;
}

const std::vector<std::string>& redis_setup_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, setup] : all_setups()) all.push_back(name);
    return all;
  }();
  return names;
}

std::string queue_permissions() {
  std::string rules = "~* resetchannels";
  for (const char* command : kQueueCommands) rules += std::string(" +") + command;
  return rules;
}

std::string RedisOptions::json() const {
  JsonMembers members;
  if (!socket.empty()) {
    members.add_text("url", url());
  } else {
    members.add_text("host", host);
    members.add("port", std::to_string(port));
    members.add_text("username", user);
    members.add_text("password", password);
    if (database != 0) members.add("database", std::to_string(database));
  }
  members.add_text("durability", durability);
  if (tls) {
    JsonMembers files;
    files.add_text("ca_file", ca_file);
    files.add_text("certificate_file", certificate_file);
    files.add_text("key_file", key_file);
    files.add_text("server_name", server_name);
    members.add("tls", files.object());
  }
  members.add_raw(more);
  return members.object();
}

std::string RedisOptions::url() const {
  if (!socket.empty()) return "unix://" + socket + "?db=" + std::to_string(database);
  std::string text = tls ? "rediss://" : "redis://";
  if (!password.empty()) text += percent_encoded(user) + ':' + percent_encoded(password) + '@';
  return text + host + ':' + std::to_string(port) + '/' + std::to_string(database);
}

} // namespace swapmq::live

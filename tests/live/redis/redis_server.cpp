// SPDX-License-Identifier: MIT
#include "redis_server.hpp"

#include <signal.h>

#include <fstream>
#include <stdexcept>
#include <utility>

#include "../support/text.hpp"
#include "redis_client.hpp"

namespace swapmq::live {

namespace {

constexpr auto kStartTime = milliseconds(20'000); // 20 ms are usual; the rest is for a busy machine
constexpr std::size_t kShownOfLog = 4000;

std::string appendonly(RedisSetup::Keep keep) {
  switch (keep) {
    case RedisSetup::Keep::always:
      return "appendonly yes\nappendfsync always\n";
    case RedisSetup::Keep::every_second:
      return "appendonly yes\nappendfsync everysec\n";
    case RedisSetup::Keep::nothing:
      break;
  }
  return "appendonly no\n";
}

} // namespace

RedisServer::RedisServer(RedisSetup setup) : setup_(std::move(setup)) {
  if (setup_.listen == RedisSetup::Listen::tls) {
    write_certificates(folder_.path(), setup_.certificate);
  }
  if (setup_.listen == RedisSetup::Listen::unix_socket) {
    start();
    return;
  }
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    port_.emplace(i == 0 ? setup_.port : 0);
    if (start()) return;
  }
  throw std::runtime_error("redis-server finds all ports taken:\n" + log());
}

RedisOptions RedisServer::options() const {
  RedisOptions options;
  if (setup_.listen == RedisSetup::Listen::unix_socket) {
    options.socket = socket();
  } else {
    options.port = port();
  }
  if (setup_.keep == RedisSetup::Keep::always) options.durability = "power";
  if (setup_.keep == RedisSetup::Keep::every_second) options.durability = "process";
  options.user = setup_.user;
  options.password = setup_.password;
  if (setup_.listen == RedisSetup::Listen::tls) {
    options.tls = true;
    options.ca_file = folder_ / "ca.pem";
    options.certificate_file = folder_ / "client.pem";
    options.key_file = folder_ / "client.key";
  }
  return options;
}

std::string RedisServer::log() const { return end_of_file(folder_ / "redis.log", kShownOfLog); }

std::string RedisServer::command(const std::vector<std::string>& words) const {
  return ask(words).to_text();
}

resp::Value RedisServer::ask(const std::vector<std::string>& words) const {
  RedisClient client(socket());
  client.ask({"AUTH", std::string(kAdmin), std::string(kAdminPassword)});
  return client.ask(words);
}

std::string RedisServer::info(std::string_view field) const {
  const std::string all = "\n" + command({"INFO", "everything"});
  const std::string wanted = "\n" + std::string(field) + ":";
  const std::size_t found = all.find(wanted);
  if (found == std::string::npos) return {};
  const std::size_t begin = found + wanted.size();
  return all.substr(begin, all.find_first_of("\r\n", begin) - begin);
}

void RedisServer::kill() { process_.reset(); }

void RedisServer::restart() {
  if (std::this_thread::get_id() != starter_) {
    throw std::runtime_error("a RedisServer is started by the thread that made it");
  }
  kill();
  if (!start()) throw std::runtime_error("redis-server finds its port taken:\n" + log());
}

void RedisServer::pause() const { process_->signal(SIGSTOP); }

void RedisServer::resume() const { process_->signal(SIGCONT); }

std::string RedisServer::config() const {
  const std::string port_text = std::to_string(port());
  std::string text =
      "bind 127.0.0.1\nprotected-mode no\ndaemonize no\nsave \"\"\n"
      // No processes besides it, but for replicas that ask for one.
      "auto-aof-rewrite-percentage 0\nrepl-diskless-sync-delay 0\n"
      "unixsocket " +
      socket() + "\ndir " + folder_.path() + "\n";
  if (setup_.listen == RedisSetup::Listen::tls) {
    text += "port 0\ntls-port " + port_text + "\ntls-auth-clients yes\n" + "tls-ca-cert-file " +
            (folder_ / "ca.pem") + "\n" + "tls-cert-file " + (folder_ / "server.pem") + "\n" +
            "tls-key-file " + (folder_ / "server.key") + "\n";
  } else {
    text += "port " + port_text + "\n"; // 0: none
  }
  text += appendonly(setup_.keep);
  text += "user " + std::string(kAdmin) + " on >" + std::string(kAdminPassword) + " ~* &* +@all\n";
  if (!setup_.user.empty()) {
    text += "user default off\n";
    text += "user " + setup_.user + " on >" + setup_.password + " " + queue_permissions() + "\n";
  } else if (!setup_.password.empty()) {
    text += "requirepass " + setup_.password + "\n";
  }
  if (setup_.maxmemory != 0) {
    text += "maxmemory " + std::to_string(setup_.maxmemory) + "\nmaxmemory-policy noeviction\n";
  }
  for (const std::string& line : setup_.more) text += line + "\n";
  return text;
}

void RedisServer::write_config() const {
  const std::string path = folder_ / "redis.conf";
  std::ofstream file(path, std::ios::trunc);
  file << config();
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

bool RedisServer::start() {
  write_config();
  const std::string log_file = folder_ / "redis.log";
  std::error_code ignored; // there is none yet
  std::filesystem::remove(log_file, ignored);
  std::vector<std::string> arguments{"redis-server", folder_ / "redis.conf"};
  if (!setup_.preload.empty()) {
    arguments.insert(arguments.begin(), {"env", "LD_PRELOAD=" + setup_.preload});
  }
  process_ = std::make_unique<ChildProcess>(ChildProcess::Program{arguments, log_file, true});
  const bool settled = await([this] { return !running() || answers(); }, kStartTime);
  if (settled && running()) return true;
  const std::string why = running() ? "does not answer" : "ended at once";
  kill();
  if (log().find("Address already in use") != std::string::npos) return false;
  throw std::runtime_error("redis-server " + why + ":\n" + config() + "\n" + log());
}

/// Its Unix socket is ours alone, and opened after its port.
bool RedisServer::answers() const {
  try {
    return command({"PING"}) == "PONG";
  } catch (const std::runtime_error&) {
    return false; // not yet
  }
}

} // namespace swapmq::live

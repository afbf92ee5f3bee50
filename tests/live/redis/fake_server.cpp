// SPDX-License-Identifier: MIT
#include "fake_server.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "../support/client_loop.hpp"
#include "resp.hpp"

namespace swapmq::live {

namespace {

struct Client : FakeClient {
  std::string last_word; // of its commands
};

std::string upper(std::string word) {
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return word;
}

std::string hello(const std::string& version) {
  const std::vector<std::pair<std::string, std::string>> fields{{"server", resp::bulk("redis")},
                                                                {"version", resp::bulk(version)},
                                                                {"proto", ":2\r\n"},
                                                                {"id", ":7\r\n"},
                                                                {"mode", resp::bulk("standalone")},
                                                                {"role", resp::bulk("master")},
                                                                {"modules", "*0\r\n"}};
  std::string all = "*" + std::to_string(2 * fields.size()) + "\r\n";
  for (const auto& [name, value] : fields) all += resp::bulk(name) + value;
  return all;
}

bool knows_hello(const std::string& version) {
  return std::atoi(version.c_str()) >= 6; // up to the first dot
}

} // namespace

Answer usual_answer(const Command& command, const std::string& version) {
  const std::string& word = command.front();
  if (word == "HELLO" && knows_hello(version)) return hello(version);
  if (word == "AUTH" || word == "SELECT") return "+OK\r\n";
  if (word == "CLIENT") {
    const bool id = command.size() > 1 && upper(command[1]) == "ID";
    return id ? ":7\r\n" : "+OK\r\n";
  }
  if (word == "PING") return command.size() > 1 ? resp::bulk(command[1]) : "+PONG\r\n";
  if (word == "INFO") {
    return resp::bulk("# Server\r\nredis_version:" + version + "\r\nredis_mode:standalone\r\n");
  }
  return "-ERR unknown command `" + word + "`, with args beginning with: \r\n";
}

Script http_server() {
  return [](const Command&) {
    return Answer(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Connection: close\r\n\r\n400 Bad Request",
        true);
  };
}

Script silence() {
  return [](const Command&) { return Answer(); };
}

class FakeServer::Loop {
 public:
  Loop(Script script, std::string version)
      : script_(std::move(script)),
        version_(std::move(version)),
        loop_([this](Client& client) { answer_all(client); }) {}

  [[nodiscard]] int port() const { return loop_.port(); }
  /// To all, if the word is empty.
  void say(const std::string& word, const std::string& bytes) {
    loop_.change([&](auto& clients) {
      for (Client& client : clients) {
        if (word.empty() || client.last_word == word) client.to_send += bytes;
      }
    });
  }
  bool await_command(const std::string& word, std::size_t count, milliseconds timeout) {
    return loop_.await(timeout, [&] {
      return static_cast<std::size_t>(std::count_if(
                 commands_.begin(), commands_.end(),
                 [&](const Command& command) { return command.front() == word; })) >= count;
    });
  }

  struct Seen {
    std::vector<Command> commands;
    std::uint64_t accepted = 0, open = 0, sent = 0, not_understood = 0;
  };
  Seen seen() {
    return loop_.look([&] {
      return Seen{commands_, loop_.accepted(), loop_.open(), loop_.sent(), not_understood_};
    });
  }

 private:
  void answer_all(Client& client);
  void answer(Client& client, Command command);

  const Script script_;
  const std::string version_;
  // With the loop's lock held.
  std::vector<Command> commands_;
  std::uint64_t not_understood_ = 0;
  ClientLoop<Client> loop_; // the last: its thread uses all the others
};

void FakeServer::Loop::answer_all(Client& client) {
  try {
    std::string_view rest = client.received;
    while (!client.close_when_sent) {
      const auto value = resp::take(rest);
      if (!value) break;
      Command command;
      for (const resp::Value& word : value->elements) command.push_back(word.text);
      if (command.empty()) throw std::runtime_error("no command");
      command.front() = upper(command.front());
      answer(client, std::move(command));
    }
    client.received.erase(0, client.received.size() - rest.size());
  } catch (const std::runtime_error&) {
    ++not_understood_;
    client.gone = true;
  }
}

void FakeServer::Loop::answer(Client& client, Command command) {
  commands_.push_back(command);
  client.last_word = command.front();
  std::optional<Answer> said;
  if (script_) said = loop_.aside([&] { return script_(command); });
  if (!said) said = usual_answer(command, version_);
  client.to_send += said->bytes;
  if (!said->endless.empty()) client.endless = [endless = said->endless] { return endless; };
  client.close_when_sent = said->close;
}

FakeServer::FakeServer(Script script, std::string version)
    : loop_(std::make_unique<Loop>(std::move(script), std::move(version))) {}
FakeServer::~FakeServer() = default;

int FakeServer::port() const { return loop_->port(); }
void FakeServer::say(const std::string& bytes) { loop_->say({}, bytes); }
void FakeServer::say_to(const std::string& word, const std::string& bytes) {
  loop_->say(word, bytes);
}
std::vector<Command> FakeServer::commands() const { return loop_->seen().commands; }
bool FakeServer::await_command(const std::string& word, std::size_t count,
                               milliseconds timeout) const {
  return loop_->await_command(word, count, timeout);
}
std::uint64_t FakeServer::accepted() const { return loop_->seen().accepted; }
std::uint64_t FakeServer::open() const { return loop_->seen().open; }
std::uint64_t FakeServer::sent() const { return loop_->seen().sent; }
std::uint64_t FakeServer::not_understood() const { return loop_->seen().not_understood; }

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
#include "fake_server.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "../support/port.hpp"
#include "resp.hpp"

namespace swapmq::live {

namespace {

constexpr std::size_t kEnoughToSend = 256 << 10; // then something endless waits for the client

struct Client {
  Descriptor socket;
  std::string received, to_send, endless;
  std::string last_word; // of its commands
  bool close_when_sent = false;
  bool gone = false;

  [[nodiscard]] bool has_to_send() const { return !to_send.empty() || !endless.empty(); }
};

class Unlocked {
 public:
  explicit Unlocked(std::mutex& mutex) : mutex_(mutex) { mutex_.unlock(); }
  ~Unlocked() { mutex_.lock(); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  std::mutex& mutex_;
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
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { run(); }) {}
  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake();
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] int port() const { return listener_.port; }
  /// To all, if the word is empty.
  void say(const std::string& word, const std::string& bytes) {
    {
      const std::lock_guard lock(mutex_);
      for (Client& client : clients_) {
        if (word.empty() || client.last_word == word) client.to_send += bytes;
      }
    }
    wake();
  }
  bool await_command(const std::string& word, std::size_t count, milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] {
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
    const std::lock_guard lock(mutex_);
    return {commands_, accepted_, clients_.size(), sent_, not_understood_};
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t full_is_awake_too = write(wake_.get(), &one, sizeof one);
  }
  void run();
  void serve(const std::vector<pollfd>& ready);
  void accept_all();
  void receive(Client& client);
  void answer_all(Client& client);
  void answer(Client& client, Command command);
  void send(Client& client);

  const Script script_;
  const std::string version_;
  Listener listener_;
  Descriptor wake_;
  std::mutex mutex_; // held by the thread but for polling and while the script speaks
  std::condition_variable changed_;
  std::list<Client> clients_;
  std::vector<Command> commands_;
  std::uint64_t accepted_ = 0, sent_ = 0, not_understood_ = 0;
  bool stop_ = false;
  std::thread thread_; // the last: it uses all the others
};

void FakeServer::Loop::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {listener_.socket.get(), POLLIN, 0}};
    for (const Client& client : clients_) {
      const short events = client.has_to_send() ? POLLIN | POLLOUT : POLLIN;
      polled.push_back({client.socket.get(), events, 0});
    }
    lock.unlock();
    constexpr int kMinuteMs = 60'000;
    ::poll(polled.data(), polled.size(), kMinuteMs);
    lock.lock();
    serve(polled);
    changed_.notify_all();
  }
}

void FakeServer::Loop::serve(const std::vector<pollfd>& ready) {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const ssize_t length = read(wake_.get(), &ignored, sizeof ignored);
  std::size_t at = 2;
  for (Client& client : clients_) {
    const short events = ready[at++].revents;
    if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) receive(client);
    if (!client.gone) send(client);
  }
  clients_.remove_if([](const Client& client) { return client.gone; });
  if ((ready[1].revents & POLLIN) != 0) accept_all();
}

void FakeServer::Loop::accept_all() {
  for (;;) {
    Descriptor socket(accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid()) return;
    make_prompt(socket);
    ++accepted_;
    clients_.emplace_back();
    clients_.back().socket = std::move(socket);
  }
}

void FakeServer::Loop::receive(Client& client) {
  char chunk[64 << 10];
  const ssize_t length = ::recv(client.socket.get(), chunk, sizeof chunk, 0);
  if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) client.gone = true;
  if (length <= 0) return;
  client.received.append(chunk, static_cast<std::size_t>(length));
  answer_all(client);
}

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
  {
    const Unlocked aside(mutex_); // clients_ grows and shrinks on this thread only
    if (script_) said = script_(command);
  }
  if (!said) said = usual_answer(command, version_);
  client.to_send += said->bytes;
  client.endless += said->endless;
  client.close_when_sent = said->close;
}

void FakeServer::Loop::send(Client& client) {
  if (!client.endless.empty()) {
    while (client.to_send.size() < kEnoughToSend) client.to_send += client.endless;
  }
  if (!client.to_send.empty()) {
    const ssize_t length =
        ::send(client.socket.get(), client.to_send.data(), client.to_send.size(), MSG_NOSIGNAL);
    if (length > 0) {
      client.to_send.erase(0, static_cast<std::size_t>(length));
      sent_ += static_cast<std::uint64_t>(length);
    } else if (errno != EAGAIN && errno != EINTR) {
      client.gone = true;
    }
  }
  if (client.close_when_sent && client.to_send.empty()) client.gone = true;
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

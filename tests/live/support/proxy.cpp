// SPDX-License-Identifier: MIT
#include "proxy.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <list>
#include <utility>

#include "loop_wake.hpp"

namespace swapmq::live {

namespace {

constexpr std::size_t kReadAhead = 256 << 10; // taken from one side while the other reads nothing
constexpr std::size_t kHeldMost = 16 << 20;   // as much, while a test has it held
constexpr std::array kWays = {Way::requests, Way::replies};

struct Fault {
  enum class Kind { cut, reset, replace } kind;
  std::uint64_t left; ///< bytes to pass before it
  std::string garbage;
};

/// What a test told of one way.
struct Rules {
  bool hold = false;
  milliseconds delay{0};
  std::optional<Fault> fault;
  std::uint64_t passed = 0;
};

/// One way of one connection: what was taken from one side and is due to the other.
struct Channel {
  struct Piece {
    std::string bytes;
    Clock::time_point due;
  };
  std::deque<Piece> pieces;
  std::size_t size = 0; ///< of the pieces
  bool swallows = false;
  bool held = false;
  bool ended = false;  ///< its side sends no more
  bool silent = false; ///< which the other is not to learn
  bool closed = false; ///< and the other was told

  void add(std::string bytes, Clock::time_point due) {
    size += bytes.size();
    pieces.push_back({std::move(bytes), due});
  }
  void swallow() {
    pieces.clear();
    size = 0;
    swallows = true;
  }
  void pop(std::size_t count) {
    size -= count;
    std::string& first = pieces.front().bytes;
    first.erase(0, count);
    if (first.empty()) pieces.pop_front();
  }
};

struct Connection {
  Descriptor client, server;
  Channel requests, replies;
  bool dropped = false;

  [[nodiscard]] Channel& channel(Way way) { return way == Way::requests ? requests : replies; }
  [[nodiscard]] int from(Way way) const {
    return way == Way::requests ? client.get() : server.get();
  }
  [[nodiscard]] int to(Way way) const { return way == Way::requests ? server.get() : client.get(); }
  /// What was sent before still arrives.
  void drop() {
    dropped = true;
    ::shutdown(client.get(), SHUT_RDWR);
    ::shutdown(server.get(), SHUT_RDWR);
  }
  /// Closing it then resets both: without a time to linger the kernel says no goodbye.
  void reset() {
    dropped = true;
    const linger none{1, 0};
    for (const Descriptor* side : {&client, &server}) {
      ::setsockopt(side->get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
  }
};

} // namespace

/// The thread and what it works on. All state is behind the mutex, which it holds but for polling.
class Proxy::Loop {
 public:
  explicit Loop(int server_port) : server_port_(server_port), thread_([this] { run(); }) {}
  ~Loop() {
    change([this] { stop_ = true; });
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] int port() const { return listener_.port; }

  /// Does this to the state, and sees to it that the thread looks.
  template <class Change>
  void change(const Change& how) {
    const std::lock_guard lock(mutex_);
    how();
    ++changes_;
    changed_.notify_all();
    wake_.raise();
  }
  template <class Look>
  auto look(const Look& at) {
    const std::lock_guard lock(mutex_);
    return at();
  }
  bool await_change(std::uint64_t& seen, Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline, [&] { return changes_ != seen; })) return false;
    seen = changes_;
    return true;
  }

  // Behind the mutex: to be used in change() and look().
  Rules& rules(Way way) { return rules_[way == Way::requests ? 0 : 1]; }
  bool holds(Way way, const Channel& channel) { return channel.held || rules(way).hold; }
  std::list<Connection>& connections() { return connections_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t faults() const { return faults_; }
  void refuse(bool whether) { refuse_ = whether; }
  void release(Way way) {
    rules(way).hold = false;
    for (Connection& connection : connections_) connection.channel(way).held = false;
  }

 private:
  void run();
  std::vector<pollfd> what_to_poll(int& timeout_ms);
  void serve(const std::vector<pollfd>& ready);
  void accept_all();
  void take(Connection& connection, Way way);
  void pass(Connection& connection, Way way);
  std::size_t pass_some(Connection& connection, Way way, std::size_t most);
  void meet_fault(Connection& connection, Way way);

  const int server_port_;
  Listener listener_;
  LoopWake wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t changes_ = 0, accepted_ = 0, faults_ = 0;
  std::array<Rules, 2> rules_;
  std::list<Connection> connections_;
  bool refuse_ = false, stop_ = false;
  std::thread thread_; // the last: it uses all the others
};

void Proxy::Loop::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    int timeout_ms = 0;
    std::vector<pollfd> polled = what_to_poll(timeout_ms);
    lock.unlock();
    ::poll(polled.data(), polled.size(), timeout_ms);
    lock.lock();
    serve(polled);
    ++changes_;
    changed_.notify_all();
  }
  for (Connection& connection : connections_) connection.drop();
}

/// The wake-up, the listener, then client and server of each connection.
std::vector<pollfd> Proxy::Loop::what_to_poll(int& timeout_ms) {
  std::vector<pollfd> polled{{wake_.fd(), POLLIN, 0}, {listener_.socket.get(), POLLIN, 0}};
  auto next = Clock::now() + std::chrono::minutes(1);
  for (Connection& connection : connections_) {
    std::array<short, 2> events{}; // of the client, of the server
    for (const Way way : kWays) {
      const Channel& channel = connection.channel(way);
      const std::size_t from = way == Way::requests ? 0 : 1;
      const bool hold = holds(way, channel);
      if (!channel.ended && channel.size < (hold ? kHeldMost : kReadAhead)) events[from] |= POLLIN;
      if (channel.pieces.empty() || hold) continue;
      next = std::min(next, channel.pieces.front().due);
      if (channel.pieces.front().due <= Clock::now()) events[1 - from] |= POLLOUT;
    }
    // One without interest is not looked at: its hang-up would wake us again and again.
    polled.push_back({events[0] != 0 ? connection.client.get() : -1, events[0], 0});
    polled.push_back({events[1] != 0 ? connection.server.get() : -1, events[1], 0});
  }
  timeout_ms = left_ms(next);
  return polled;
}

void Proxy::Loop::serve(const std::vector<pollfd>& ready) {
  wake_.lower();
  std::size_t at = 2;
  for (Connection& connection : connections_) {
    const short client = ready[at++].revents;
    const short server = ready[at++].revents;
    if (((client | server) & (POLLERR | POLLNVAL)) != 0) connection.drop();
    if ((client & (POLLIN | POLLHUP)) != 0) take(connection, Way::requests);
    if ((server & (POLLIN | POLLHUP)) != 0) take(connection, Way::replies);
    for (const Way way : kWays) pass(connection, way);
    if (connection.requests.closed && connection.replies.closed) connection.dropped = true;
  }
  connections_.remove_if([](const Connection& connection) { return connection.dropped; });
  if ((ready[1].revents & POLLIN) != 0) accept_all();
}

void Proxy::Loop::accept_all() {
  for (;;) {
    Descriptor client(accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    if (refuse_) continue;
    make_prompt(client);
    ++accepted_;
    Descriptor server = begin_connect(server_port_);
    if (!server.valid()) continue;
    connections_.emplace_back();
    connections_.back().client = std::move(client);
    connections_.back().server = std::move(server);
  }
}

void Proxy::Loop::take(Connection& connection, Way way) {
  Channel& channel = connection.channel(way);
  if (channel.ended || connection.dropped) return;
  std::string bytes(64 << 10, '\0');
  const ssize_t length = ::recv(connection.from(way), bytes.data(), bytes.size(), 0);
  if (length > 0) {
    bytes.resize(static_cast<std::size_t>(length));
    if (!channel.swallows) channel.add(std::move(bytes), Clock::now() + rules(way).delay);
  } else if (length == 0) {
    channel.ended = true;
    channel.silent = holds(way, channel);
  } else if (errno != EAGAIN && errno != EINTR) {
    connection.drop();
  }
}

void Proxy::Loop::pass(Connection& connection, Way way) {
  Channel& channel = connection.channel(way);
  Rules& rule = rules(way);
  while (!connection.dropped && !holds(way, channel) && !channel.pieces.empty() &&
         channel.pieces.front().due <= Clock::now()) {
    if (rule.fault && rule.fault->left == 0) {
      meet_fault(connection, way);
      continue;
    }
    std::size_t most = channel.pieces.front().bytes.size();
    if (rule.fault && rule.fault->left < most) most = static_cast<std::size_t>(rule.fault->left);
    const std::size_t sent = pass_some(connection, way, most);
    if (sent == 0) break;
    if (!rule.fault) continue;
    rule.fault->left -= sent;
    if (rule.fault->left == 0 && rule.fault->kind != Fault::Kind::replace) {
      meet_fault(connection, way);
    }
  }
  if (connection.dropped) return;
  if (channel.ended && channel.pieces.empty() && !channel.closed && !channel.silent &&
      !holds(way, channel)) {
    channel.closed = true;
    ::shutdown(connection.to(way), SHUT_WR);
  }
}

std::size_t Proxy::Loop::pass_some(Connection& connection, Way way, std::size_t most) {
  Channel& channel = connection.channel(way);
  const char* bytes = channel.pieces.front().bytes.data();
  const ssize_t sent = ::send(connection.to(way), bytes, most, MSG_NOSIGNAL);
  if (sent <= 0) {
    if (errno != EAGAIN && errno != EINTR) connection.drop();
    return 0;
  }
  channel.pop(static_cast<std::size_t>(sent));
  rules(way).passed += static_cast<std::uint64_t>(sent);
  return static_cast<std::size_t>(sent);
}

void Proxy::Loop::meet_fault(Connection& connection, Way way) {
  const Fault fault = *std::exchange(rules(way).fault, std::nullopt);
  ++faults_;
  if (fault.kind == Fault::Kind::cut) return connection.drop();
  if (fault.kind == Fault::Kind::reset) return connection.reset();
  Channel& channel = connection.channel(way);
  channel.swallow();
  if (!fault.garbage.empty()) channel.add(fault.garbage, Clock::now());
}

Proxy::Proxy(int server_port) : loop_(std::make_unique<Loop>(server_port)) {}
Proxy::~Proxy() = default;

int Proxy::port() const { return loop_->port(); }

void Proxy::cut_after(Way way, std::uint64_t bytes) {
  loop_->change([&] { loop_->rules(way).fault = Fault{Fault::Kind::cut, bytes, {}}; });
}

void Proxy::reset_after(Way way, std::uint64_t bytes) {
  loop_->change([&] { loop_->rules(way).fault = Fault{Fault::Kind::reset, bytes, {}}; });
}

void Proxy::replace_after(Way way, std::uint64_t bytes, std::string garbage) {
  loop_->change([&] {
    loop_->rules(way).fault = Fault{Fault::Kind::replace, bytes, std::move(garbage)};
  });
}

void Proxy::hold(Way way) {
  loop_->change([&] { loop_->rules(way).hold = true; });
}

void Proxy::hold_open(Way way) {
  loop_->change([&] {
    for (Connection& connection : loop_->connections()) connection.channel(way).held = true;
  });
}

void Proxy::release(Way way) {
  loop_->change([&] { loop_->release(way); });
}

void Proxy::swallow(Way way) {
  loop_->change([&] {
    for (Connection& connection : loop_->connections()) connection.channel(way).swallow();
  });
}

void Proxy::delay(Way way, milliseconds time) {
  loop_->change([&] { loop_->rules(way).delay = time; });
}

void Proxy::drop_all() {
  loop_->change([&] {
    for (Connection& connection : loop_->connections()) connection.drop();
  });
}

void Proxy::refuse(bool whether) {
  loop_->change([&] { loop_->refuse(whether); });
}

void Proxy::heal() {
  loop_->change([&] {
    for (const Way way : kWays) {
      Rules& rules = loop_->rules(way);
      loop_->release(way);
      rules.delay = milliseconds(0);
      rules.fault.reset();
    }
    loop_->refuse(false);
  });
}

std::uint64_t Proxy::bytes(Way way) const {
  return loop_->look([&] { return loop_->rules(way).passed; });
}

std::uint64_t Proxy::held(Way way) const {
  return loop_->look([&] {
    std::uint64_t all = 0;
    for (Connection& connection : loop_->connections()) all += connection.channel(way).size;
    return all;
  });
}

std::uint64_t Proxy::accepted() const {
  return loop_->look([&] { return loop_->accepted(); });
}

std::uint64_t Proxy::open() const {
  return loop_->look([&] { return std::uint64_t{loop_->connections().size()}; });
}

std::uint64_t Proxy::faults() const {
  return loop_->look([&] { return loop_->faults(); });
}

std::uint64_t Proxy::changes() const {
  return loop_->look([&] { return loop_->changes(); });
}

bool Proxy::await_change(std::uint64_t& seen, Clock::time_point deadline) const {
  return loop_->await_change(seen, deadline);
}

} // namespace swapmq::live

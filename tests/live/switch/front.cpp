// SPDX-License-Identifier: MIT
#include "front.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <latch>
#include <map>
#include <sstream>
#include <system_error>

namespace switch_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using swapmq::Delivery;
using swapmq::Message;
using swapmq::MessageQueue;
using swapmq::Sent;

std::string word_of(const Sent& sent) {
  if (sent) return "ok";
  return sent.outcome() == swapmq::Outcome::failed ? "fail" : "doubt";
}

/// What one program consumes.
class Consumption {
 public:
  explicit Consumption(LineSocket& socket) : socket_(socket) {}
  ~Consumption() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      changed_.notify_all();
    }
    settler_.join();
  }
  Consumption(const Consumption&) = delete;
  Consumption& operator=(const Consumption&) = delete;

  void run(MessageQueue& mq, const std::string& queue, swapmq::ConsumeOptions options) {
    auto consumer = mq.consume(queue, options, [this](const Delivery& d) { return hand_out(d); });
    if (!consumer) {
      socket_.write_line("error " + consumer.error().message());
      return;
    }
    socket_.write_line("ok");
    begun_.count_down();
    while (const auto line = socket_.read_line()) {
      std::istringstream words(*line);
      std::string how;
      words >> how;
      if (how == "close") {
        closer_ = std::thread([this, &consumer] { close(*consumer); });
      } else {
        settle(how, words);
      }
    }
    if (closer_.joinable()) closer_.join();
  }

 private:
  swapmq::Decision hand_out(const Delivery& delivery) {
    begun_.wait(); // the answer comes first
    std::uint64_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = ++last_;
      handed_out_.emplace(number, delivery);
    }
    const auto trail = delivery.header("swapmq-moved-from");
    const auto moves = trail ? 1 + std::count(trail->begin(), trail->end(), ',') : 0;
    std::ostringstream line;
    line << "d " << number << ' ' << delivery.id() << ' ' << delivery.delivery_count() << ' '
         << moves << ' ' << delivery.body();
    socket_.write_line(line.str());
    return swapmq::keep();
  }
  void settle(const std::string& how, std::istringstream& words) {
    std::uint64_t number = 0;
    words >> number;
    std::unique_lock lock(mutex_);
    const auto found = handed_out_.find(number);
    if (found == handed_out_.end()) return;
    const Delivery delivery = std::move(found->second);
    handed_out_.erase(found);
    lock.unlock();
    if (how == "nack") {
      std::int64_t delay = 0;
      words >> delay;
      delivery.nack(milliseconds(delay));
    } else if (how == "reject") {
      delivery.reject("by the scenario");
    } else if (how == "release") {
      delivery.release();
    } else {
      delivery.ack();
    }
    if (how != "ack") return;
    lock.lock();
    acked_.emplace_back(number, delivery);
    changed_.notify_all();
  }
  /// Said once the broker's word on all acks was said.
  void close(swapmq::Consumer& consumer) {
    const auto error = consumer.close(10s);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return acked_.empty() && !awaiting_; });
    lock.unlock();
    socket_.write_line("closed " + (error ? "error " + error.message() : "ok"));
  }
  /// A thread's: the broker's word on each ack, which nobody else waits for.
  void await_settled() {
    for (std::unique_lock lock(mutex_);;) {
      changed_.wait(lock, [this] { return ending_ || !acked_.empty(); });
      if (acked_.empty()) return;
      const auto [number, delivery] = std::move(acked_.front());
      acked_.pop_front();
      awaiting_ = true;
      lock.unlock();
      if (!delivery.wait_settled(5s)) socket_.write_line("s " + std::to_string(number));
      lock.lock();
      awaiting_ = false;
      changed_.notify_all();
    }
  }

  LineSocket& socket_;
  std::latch begun_{1};
  std::mutex mutex_; // of those that follow
  std::condition_variable changed_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Delivery> handed_out_;
  std::deque<std::pair<std::uint64_t, Delivery>> acked_; ///< and not known to be
  bool awaiting_ = false; ///< the broker's word on one that is no longer among them
  bool ending_ = false;
  std::thread closer_;
  std::thread settler_{[this] { await_settled(); }};
};

/// What is published by one line.
struct Batch {
  explicit Batch(const std::string& line) {
    std::istringstream words(line);
    std::int64_t delay = 0;
    words >> delay >> body;
    for (std::string id; words >> id;) ids.push_back(id);
    for (const std::string& id : ids) {
      messages.push_back({.body = body, .id = id, .delay = milliseconds(delay)});
    }
  }
  Batch(const Batch&) = delete; // the messages have views of the rest
  Batch& operator=(const Batch&) = delete;

  std::string body;
  std::vector<std::string> ids;
  std::vector<Message> messages;
};

int listen_at(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un at = LineSocket::address(path);
  ::unlink(path.c_str());
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(socket, 64) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  return socket;
}

} // namespace

Front::Front(MessageQueue& mq, const std::string& path)
    : mq_(mq), listening_(listen_at(path)), acceptor_([this] { accept_all(); }) {}

Front::~Front() {
  ::shutdown(listening_, SHUT_RDWR);
  acceptor_.join();
  ::close(listening_);
  for (const Connection& one : connections_) one.socket->shut();
  for (Connection& one : connections_) one.thread.join();
}

void Front::accept_all() {
  for (;;) {
    const int accepted = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) return;
    auto socket = std::make_unique<LineSocket>(accepted);
    LineSocket& served = *socket;
    connections_.push_back({std::move(socket), std::thread([this, &served] { serve(served); })});
  }
}

void Front::serve(LineSocket& socket) {
  std::istringstream words(socket.read_line().value_or(""));
  std::string what;
  std::string queue;
  swapmq::ConsumeOptions options;
  words >> what >> queue;
  if (what == "publish") publish(socket, queue);
  if (what == "window") publish_in_a_window(socket, queue);
  if (what == "consume" && words >> options.prefetch >> options.concurrency) {
    Consumption(socket).run(mq_, queue, options);
  }
  socket.shut();
}

void Front::publish(LineSocket& socket, const std::string& queue) {
  while (const auto line = socket.read_line()) {
    const Batch batch(*line);
    std::string words;
    if (batch.messages.size() == 1) {
      words = word_of(mq_.publish(queue, batch.messages.front()));
    } else {
      for (const Sent& sent : mq_.publish_many(queue, batch.messages)) {
        words += (words.empty() ? "" : " ") + word_of(sent);
      }
    }
    socket.write_line(words);
  }
}

void Front::publish_in_a_window(LineSocket& socket, const std::string& queue) {
  while (const auto line = socket.read_line()) {
    const Batch batch(*line);
    mq_.publish_async(queue, batch.messages.front(), [&socket](const Sent& sent) {
      socket.write_line(std::string(sent.id()) + " " + word_of(sent));
    });
  }
}

} // namespace switch_test

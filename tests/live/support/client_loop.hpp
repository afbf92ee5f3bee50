// SPDX-License-Identifier: MIT
//
// What every fake server is made of: a port, and a thread that takes what clients send and sends
// what they are to get.
#pragma once

#include <poll.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "deadline.hpp"
#include "descriptor.hpp"
#include "loop_wake.hpp"
#include "port.hpp"

namespace swapmq::live {

/// A connection of somebody to a fake server.
struct FakeClient {
  Descriptor socket;
  std::string received, to_send;
  std::function<std::string()> endless; ///< gives more to send, for as long as the client reads
  bool slowly = false;                  ///< one byte every few milliseconds
  bool close_when_sent = false;
  bool gone = false; ///< to be closed at once

  [[nodiscard]] bool has_to_send() const { return !to_send.empty() || endless; }
  /// Takes in what is there; whether that was anything.
  bool receive();
  /// Sends what can be sent without waiting; how many bytes that were.
  std::size_t send();
};

/// Listens on a port of 127.0.0.1 until destroyed, on a thread that is joined then. A Client is a
/// FakeClient. The other functions may be called from any thread.
template <class Client>
class ClientLoop {
 public:
  /// `take` is called on the thread, with the lock held, where a client's `received` has grown.
  explicit ClientLoop(std::function<void(Client&)> take)
      : take_(std::move(take)), thread_([this] { run(); }) {}
  ~ClientLoop() {
    change([&](auto&) { stop_ = true; });
    thread_.join();
  }
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  [[nodiscard]] int port() const { return listener_.port; }
  /// What look() gives, with the lock held.
  template <class Look>
  auto look(Look&& look) {
    const std::lock_guard lock(mutex_);
    return look();
  }
  /// Calls change(clients), a list of Client, with the lock held; then what is to be sent is sent.
  template <class Change>
  void change(Change&& change) {
    {
      const std::lock_guard lock(mutex_);
      change(clients_);
    }
    wake_.raise();
  }
  /// Until condition() holds, which is asked with the lock held; whether it did in time.
  template <class Condition>
  bool await(milliseconds timeout, Condition&& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, condition);
  }
  /// For take() alone: what call() gives, without the lock. Clients come and go on its thread only.
  template <class Call>
  auto aside(Call&& call) {
    struct Unlocked {
      explicit Unlocked(std::mutex& its) : mutex(its) { mutex.unlock(); }
      ~Unlocked() { mutex.lock(); }
      std::mutex& mutex;
    };
    const Unlocked unlocked(mutex_);
    return call();
  }

  // With the lock held.
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t open() const { return clients_.size(); }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      constexpr int kMinute_ms = 60'000;
      constexpr int kSlowly_ms = 2; // between two bytes
      int timeout_ms = kMinute_ms;
      std::vector<pollfd> polled{{wake_.fd(), POLLIN, 0}, {listener_.socket.get(), POLLIN, 0}};
      for (const Client& client : clients_) {
        const bool sends = client.has_to_send() && !client.slowly;
        if (client.slowly) timeout_ms = kSlowly_ms;
        polled.push_back(
            {client.socket.get(), static_cast<short>(sends ? POLLIN | POLLOUT : POLLIN), 0});
      }
      lock.unlock();
      ::poll(polled.data(), polled.size(), timeout_ms);
      lock.lock();
      serve(polled);
      changed_.notify_all();
    }
  }

  void serve(const std::vector<pollfd>& ready) {
    wake_.lower();
    std::size_t at = 2;
    for (Client& client : clients_) {
      const bool has_come = (ready[at++].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      if (has_come && client.receive()) take_(client);
      if (!client.gone) sent_ += client.send();
    }
    clients_.remove_if([](const Client& client) { return client.gone; });
    if ((ready[1].revents & POLLIN) == 0) return;
    for (Descriptor socket; (socket = accept_from(listener_)).valid();) {
      ++accepted_;
      clients_.emplace_back();
      clients_.back().socket = std::move(socket);
    }
  }

  const std::function<void(Client&)> take_;
  Listener listener_;
  LoopWake wake_;
  std::mutex mutex_; // held by the thread but for polling and what is done aside
  std::condition_variable changed_;
  std::list<Client> clients_;
  std::uint64_t accepted_ = 0, sent_ = 0;
  bool stop_ = false;
  std::thread thread_; // the last: it uses all the others
};

} // namespace swapmq::live

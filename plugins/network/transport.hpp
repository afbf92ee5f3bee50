// SPDX-License-Identifier: MIT
//
// Bytes to and from the server, over TCP, TLS or a Unix socket, without ever waiting longer than
// told and without SIGPIPE.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "endpoint.hpp"
#include "failures.hpp"
#include "resolver.hpp"
#include "tls.hpp"
#include "wake.hpp"

namespace swapmq::network {

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class Transport {
 public:
  /// Connects; with TLS it also shakes hands. Throws Failure (UNAVAILABLE, TIMEOUT,
  /// INVALID_ARGUMENT), or Interrupted if `wake`, which may be null, is raised.
  static std::unique_ptr<Transport> connect(const Endpoint& endpoint, Resolver& resolver,
                                            const TlsContext* tls, backend::Deadline deadline,
                                            const Wake* wake);

  /// Sends what it can without waiting and says how much; 0: nothing now. Throws ConnectionLost.
  std::size_t send(const char* data, std::size_t size);
  /// Receives what is there; 0: nothing now. Throws ConnectionLost at the end of the stream.
  std::size_t receive(char* data, std::size_t size);
  /// The same, but waits in the kernel if nothing is there, shortly and at most for what is left:
  /// that wakes up faster than poll() and then receive(). 0 does not mean that all of the time
  /// passed.
  std::size_t receive_patiently(char* data, std::size_t size, std::chrono::nanoseconds left);

  /// Lets receive_patiently() wake up only when at least so many bytes are there (or its tick is
  /// over): each reply need not.
  void wake_at(std::size_t bytes);

  /// Waits until receive(), or send() if `to_send`, may do something. False: the deadline passed.
  /// Throws Interrupted if `wake` is raised.
  bool wait(bool to_send, backend::Deadline deadline, const Wake* wake) const;
  [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What poll() should look for where others wait for this transport, too.
  [[nodiscard]] short events(bool to_send) const;

 private:
  Transport(Descriptor fd, const Endpoint& endpoint) : fd_(std::move(fd)), endpoint_(endpoint) {}
  void shake_hands(const TlsContext& tls, backend::Deadline deadline, const Wake* wake);
  [[noreturn]] void lost(const char* doing, int error) const;
  std::size_t tls_result(int result, const char* doing);

  Descriptor fd_;
  const Endpoint& endpoint_; // of the options, which outlive all connections
  SslPtr ssl_;
  int low_water_ = 1;
  bool tls_wants_write_ = false; // TLS has its own mind on what comes next
};

} // namespace swapmq::network

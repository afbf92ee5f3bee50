// SPDX-License-Identifier: MIT
#include "transport.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <system_error>

#include "deadlines.hpp"

namespace swapmq::network {
namespace {

using backend::Deadline;
using backend::Failure;
using std::chrono::milliseconds;

// The kernel's own receive timeout, set once: it is only relied on while more than that is left.
constexpr int kReceiveTick_ms = 100;

std::string reason(int error) { return std::generic_category().message(error); }

Failure unreachable(const Endpoint& endpoint, int error) {
  const std::string hint = error == ECONNREFUSED || error == ENOENT
                               ? "; is the server up, and is that its address?"
                               : "";
  return {SWAPMQ_UNAVAILABLE, "cannot connect to " + endpoint.title() + ": " + reason(error) + hint,
          SWAPMQ_ERROR_RETRYABLE};
}

Failure silent(const Endpoint& endpoint, const std::string& what) {
  return {SWAPMQ_TIMEOUT, endpoint.title() + " " + what + " in time", SWAPMQ_ERROR_RETRYABLE};
}

void set_option(int fd, int level, int name, int value) {
  // Best effort: a connection without keepalive is a connection.
  setsockopt(fd, level, name, &value, sizeof value);
}

void tune(int fd, const Endpoint& endpoint) {
  const timeval tick{0, kReceiveTick_ms * 1000L};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
  if (!endpoint.unix_path.empty()) return;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (endpoint.keepalive_seconds == 0) return;
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(endpoint.keepalive_seconds));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

/// poll() until the deadline; throws Interrupted. False: the deadline passed.
bool poll_until(int fd, short events, Deadline deadline, const Wake* wake) {
  for (;;) {
    std::array<pollfd, 2> polled{pollfd{fd, events, 0},
                                 pollfd{wake != nullptr ? wake->fd() : -1, POLLIN, 0}};
    const int found = poll(polled.data(), polled.size(), deadline.left_ms());
    if (found < 0 && errno != EINTR) {
      throw Failure(SWAPMQ_INTERNAL, "poll: " + reason(errno));
    }
    if (found > 0 && polled[1].revents != 0) throw Interrupted{};
    if (found > 0) return true;
    if (deadline.passed()) return false;
  }
}

/// Connects the socket; it is non-blocking meanwhile. Returns 0 or an errno; ETIMEDOUT at the
/// deadline.
int connect_socket(int fd, const sockaddr* address, socklen_t size, Deadline deadline,
                   const Wake* wake) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  if (connect(fd, address, size) != 0) {
    if (errno != EINPROGRESS) return errno;
    if (!poll_until(fd, POLLOUT, deadline, wake)) return ETIMEDOUT;
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    if (error != 0) return error;
  }
  fcntl(fd, F_SETFL, flags & ~O_NONBLOCK); // so that receive_patiently() can wait
  return 0;
}

Descriptor connect_unix(const Endpoint& endpoint, Deadline deadline, const Wake* wake) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.unix_path.size() >= sizeof address.sun_path) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "options of " + endpoint.plugin +
                                               ": the path of the Unix socket is longer than " +
                                               std::to_string(sizeof address.sun_path - 1) +
                                               " bytes");
  }
  std::memcpy(address.sun_path, endpoint.unix_path.c_str(), endpoint.unix_path.size() + 1);
  Descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) throw unreachable(endpoint, errno);
  const int error = connect_socket(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                                   sizeof address, deadline, wake);
  if (error != 0) throw unreachable(endpoint, error);
  tune(fd.get(), endpoint);
  return fd;
}

Descriptor connect_tcp(const Endpoint& endpoint, Resolver& resolver, Deadline deadline,
                       const Wake* wake) {
  const Addresses addresses = resolver.resolve(endpoint.host, endpoint.port, deadline);
  int error = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    Descriptor fd(socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
    if (fd.get() < 0) {
      error = errno;
      continue;
    }
    // One address that swallows everything must not use up the time of the others.
    const auto left = deadline.at() - Deadline::Clock::now();
    const auto share = at->ai_next != nullptr ? left / 2 : left;
    const Deadline until = in(share);
    error = connect_socket(fd.get(), at->ai_addr, at->ai_addrlen, until, wake);
    if (error == 0) {
      tune(fd.get(), endpoint);
      return fd;
    }
  }
  if (error == ETIMEDOUT) throw silent(endpoint, "did not accept a connection");
  throw unreachable(endpoint, error);
}

} // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

std::unique_ptr<Transport> Transport::connect(const Endpoint& endpoint, Resolver& resolver,
                                              const TlsContext* tls, Deadline deadline,
                                              const Wake* wake) {
  Descriptor fd = endpoint.unix_path.empty() ? connect_tcp(endpoint, resolver, deadline, wake)
                                             : connect_unix(endpoint, deadline, wake);
  std::unique_ptr<Transport> made(new Transport(std::move(fd), endpoint));
  if (tls != nullptr) made->shake_hands(*tls, deadline, wake);
  return made;
}

void Transport::shake_hands(const TlsContext& tls, Deadline deadline, const Wake* wake) {
  ssl_ = tls.client(fd_.get(), endpoint_.host);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return;
    const int wants = SSL_get_error(ssl_.get(), result);
    if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE) {
      const std::string why = handshake_failure(ssl_.get(), endpoint_);
      ERR_clear_error();
      throw Failure(SWAPMQ_UNAVAILABLE, "cannot connect to " + endpoint_.title() + ": " + why);
    }
    const short events = wants == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (!poll_until(fd_.get(), events, deadline, wake)) {
      throw silent(endpoint_, "did not finish the TLS handshake (a port that speaks no TLS wants " +
                                  endpoint_.plain_scheme + "://, without \"tls\")");
    }
  }
}

void Transport::lost(const char* doing, int error) const {
  throw ConnectionLost("lost the connection to " + endpoint_.title() + " while " + doing + ": " +
                       (error == 0 ? "the server closed it" : reason(error)));
}

std::size_t Transport::tls_result(int result, const char* doing) {
  tls_wants_write_ = false;
  if (result > 0) return static_cast<std::size_t>(result);
  const int why = SSL_get_error(ssl_.get(), result);
  const int error = errno;
  if (why == SSL_ERROR_WANT_READ) return 0;
  if (why == SSL_ERROR_WANT_WRITE) {
    tls_wants_write_ = true;
    return 0;
  }
  ERR_clear_error();
  lost(doing, why == SSL_ERROR_SYSCALL ? error : 0);
}

std::size_t Transport::send(const char* data, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int part = static_cast<int>(std::min<std::size_t>(size, INT_MAX));
    return tls_result(SSL_write(ssl_.get(), data, part), "sending");
  }
  for (;;) {
    const ssize_t sent = ::send(fd_.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) lost("sending", errno);
  }
}

std::size_t Transport::receive(char* data, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int part = static_cast<int>(std::min<std::size_t>(size, INT_MAX));
    return tls_result(SSL_read(ssl_.get(), data, part), "receiving");
  }
  for (;;) {
    const ssize_t got = recv(fd_.get(), data, size, MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) lost("receiving", 0);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) lost("receiving", errno);
  }
}

std::size_t Transport::receive_patiently(char* data, std::size_t size,
                                         std::chrono::nanoseconds left) {
  if (ssl_ != nullptr || left <= milliseconds(kReceiveTick_ms)) {
    wake_at(1); // poll() minds it, too
    const std::size_t got = receive(data, size);
    if (got == 0) wait(false, in(left), nullptr);
    return got;
  }
  const ssize_t got = recv(fd_.get(), data, size, 0);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) lost("receiving", 0);
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) lost("receiving", errno);
  return 0;
}

void Transport::wake_at(std::size_t bytes) {
  if (ssl_ != nullptr || !endpoint_.unix_path.empty()) return; // TCP has it
  // Below what the kernel's buffer surely takes.
  constexpr std::size_t kMost = 32 * 1024;
  const int wanted = static_cast<int>(std::clamp<std::size_t>(bytes, 1, kMost));
  if (wanted == low_water_) return;
  set_option(fd_.get(), SOL_SOCKET, SO_RCVLOWAT, wanted);
  low_water_ = wanted;
}

short Transport::events(bool to_send) const {
  return static_cast<short>(POLLIN | (to_send || tls_wants_write_ ? POLLOUT : 0));
}

bool Transport::wait(bool to_send, Deadline deadline, const Wake* wake) const {
  return poll_until(fd_.get(), events(to_send), deadline, wake);
}

} // namespace swapmq::network

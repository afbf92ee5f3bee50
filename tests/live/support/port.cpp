// SPDX-License-Identifier: MIT
#include "port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>

namespace swapmq::live {

namespace {

constexpr int kFirst = 15'000; // above the well-known ones that brokers use,
constexpr int kLast = 32'000;  // below what Linux gives to outgoing connections by default

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor tcp_socket(int flags) {
  Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!made.valid()) throw std::system_error(errno, std::generic_category(), "socket");
  return made;
}

int bind_to(const Descriptor& socket, int port) {
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// Invalid where another process has claimed the port.
Descriptor claim(int port) {
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "swapmq-live-port-" + std::to_string(port);
  std::memcpy(address.sun_path + 1, name.data(), name.size()); // the NUL before it: no file
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return {};
  return socket;
}

} // namespace

ReservedPort::ReservedPort(int first) {
  if (first != 0 && (claim_ = claim(first)).valid()) {
    number_ = first;
    return;
  }
  std::random_device random;
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    const int port = std::uniform_int_distribution<int>(kFirst, kLast)(random);
    Descriptor claimed = claim(port);
    if (!claimed.valid() || bind_to(tcp_socket(0), port) != 0) continue;
    number_ = port;
    claim_ = std::move(claimed);
    return;
  }
  throw std::runtime_error("found no free TCP port of 127.0.0.1 from " + std::to_string(kFirst) +
                           " to " + std::to_string(kLast));
}

Listener::Listener() : socket(tcp_socket(SOCK_NONBLOCK)) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (bind_to(socket, 0) != 0 || ::listen(socket.get(), SOMAXCONN) != 0 ||
      getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
}

Descriptor begin_connect(int port) {
  Descriptor socket = tcp_socket(0);
  make_prompt(socket);
  const sockaddr_in address = loopback(port);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), to, sizeof address) != 0 && errno != EINPROGRESS) return {};
  return socket;
}

Descriptor connect_to(int port) {
  Descriptor socket = begin_connect(port);
  if (!socket.valid()) return {};
  constexpr int kPatienceMs = 5000;
  pollfd connected{socket.get(), POLLOUT, 0};
  int error = 0;
  socklen_t length = sizeof error;
  if (::poll(&connected, 1, kPatienceMs) != 1 ||
      getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
    return {};
  }
  return socket;
}

Descriptor accept_from(const Listener& listener) {
  Descriptor accepted(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (accepted.valid()) make_prompt(accepted);
  return accepted;
}

void make_prompt(const Descriptor& socket) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
}

} // namespace swapmq::live

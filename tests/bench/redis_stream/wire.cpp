// SPDX-License-Identifier: MIT
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::int64_t number(std::string_view digits) {
  const bool negative = digits.starts_with('-');
  std::int64_t value = 0;
  for (const char digit : digits.substr(negative ? 1 : 0)) value = value * 10 + (digit - '0');
  return negative ? -value : value;
}

} // namespace

Connection::Connection(std::uint16_t port)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    close(socket_);
    fail("connect to redis-server");
  }
}

Connection::~Connection() { close(socket_); }

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("send to redis-server");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t Connection::receive(char* to, std::size_t most) {
  while (true) {
    const ssize_t received = recv(socket_, to, most, 0);
    if (received > 0) return static_cast<std::size_t>(received);
    if (received == 0) throw std::runtime_error("redis-server closed the connection");
    if (errno != EINTR) fail("receive from redis-server");
  }
}

/// A recv that finds a part of them would wait for as many again: so it only begins when all came.
void Connection::await(std::size_t bytes) {
  set_low_water(bytes);
  pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
  while (poll(&readable, 1, -1) < 0) {
    if (errno != EINTR) fail("wait for redis-server");
  }
  set_low_water(1);
}

void Connection::set_low_water(std::size_t bytes) {
  const int least = static_cast<int>(bytes);
  if (setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) != 0) fail("SO_RCVLOWAT");
}

void Replies::read_more() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (buffer_.size() - end_ < buffer_.size() / 4) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
    if (end_ == buffer_.size()) throw std::runtime_error("a reply is too long");
  }
  end_ += from_.receive(buffer_.data() + end_, buffer_.size() - end_);
}

std::string_view Replies::line(char& kind) {
  std::size_t looked = 0;
  while (true) {
    const char* from = buffer_.data() + begin_;
    const void* newline =
        buffered() > looked ? std::memchr(from + looked, '\n', buffered() - looked) : nullptr;
    if (newline == nullptr) {
      looked = buffered();
      read_more();
      continue;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - from);
    begin_ += length + 1;
    kind = from[0];
    const std::string_view content(from + 1, length - 2);
    if (kind == '-') throw std::runtime_error("redis-server: " + std::string(content));
    return content;
  }
}

void Replies::skip(std::size_t count) {
  for (; count > 0; --count) {
    char kind = 0;
    const std::string_view head = line(kind);
    if (kind != '$') continue;
    const auto size = static_cast<std::size_t>(number(head)) + 2;
    while (buffered() < size) read_more();
    begin_ += size;
  }
}

std::string_view Replies::text() {
  char kind = 0;
  const std::string_view head = line(kind);
  if (kind != '$') return head;
  const auto size = static_cast<std::size_t>(number(head));
  while (buffered() < size + 2) read_more();
  const std::string_view content(buffer_.data() + begin_, size);
  begin_ += size + 2;
  return content;
}

std::int64_t Replies::array() {
  char kind = 0;
  const std::string_view head = line(kind);
  if (kind != '*') throw std::runtime_error("redis-server's reply is not an array");
  return number(head);
}

std::int64_t Replies::integer() {
  char kind = 0;
  return number(line(kind));
}

} // namespace bench

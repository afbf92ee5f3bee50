// SPDX-License-Identifier: MIT
#include "redis_client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace swapmq::live {

namespace {

void await_ready(int fd, short events, Clock::time_point deadline) {
  pollfd ready{fd, events, 0};
  while (::poll(&ready, 1, left_ms(deadline)) <= 0) {
    if (Clock::now() >= deadline) throw std::runtime_error("redis: no answer until the deadline");
  }
}

} // namespace

RedisClient::RedisClient(const std::string& socket_path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    throw std::runtime_error("longer than the path of a Unix socket may be: " + socket_path);
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to " + socket_path + ": " + std::strerror(errno));
  }
  fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
}

resp::Value RedisClient::ask(const std::vector<std::string>& words, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  send_bytes(resp::command(words), deadline);
  for (;;) {
    std::string_view bytes = received_;
    if (auto reply = resp::take(bytes)) {
      received_.erase(0, received_.size() - bytes.size());
      return *std::move(reply);
    }
    if (!receive(deadline)) throw std::runtime_error("redis: the server closed the connection");
  }
}

void RedisClient::send(const std::vector<std::string>& words, milliseconds timeout) {
  send_bytes(resp::command(words), Clock::now() + timeout);
}

std::string RedisClient::rest(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (receive(deadline)) {
  }
  return std::exchange(received_, {});
}

std::string RedisClient::some(std::size_t count, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (received_.size() < count) {
    if (!receive(deadline)) throw std::runtime_error("redis: the server closed the connection");
  }
  std::string taken = received_.substr(0, count);
  received_.erase(0, count);
  return taken;
}

void RedisClient::send_bytes(std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    await_ready(socket_.get(), POLLOUT, deadline);
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      throw std::runtime_error(std::string("redis: ") + std::strerror(errno));
    }
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RedisClient::receive(Clock::time_point deadline) {
  await_ready(socket_.get(), POLLIN, deadline);
  char chunk[16384];
  const ssize_t length = ::recv(socket_.get(), chunk, sizeof chunk, 0);
  if (length > 0) received_.append(chunk, static_cast<std::size_t>(length));
  return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

} // namespace swapmq::live

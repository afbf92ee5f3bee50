// SPDX-License-Identifier: MIT
#include "client_loop.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace swapmq::live {

namespace {

constexpr std::size_t kEnoughToSend = 256 << 10; // then something endless waits for the client

bool is_over(ssize_t length) { return length < 0 && errno != EAGAIN && errno != EINTR; }

} // namespace

bool FakeClient::receive() {
  char chunk[64 << 10];
  const ssize_t length = ::recv(socket.get(), chunk, sizeof chunk, 0);
  if (length == 0 || is_over(length)) gone = true;
  if (length <= 0) return false;
  received.append(chunk, static_cast<std::size_t>(length));
  return true;
}

std::size_t FakeClient::send() {
  while (endless && to_send.size() < kEnoughToSend) to_send += endless();
  std::size_t sent = 0;
  if (!to_send.empty()) {
    const std::size_t most = slowly ? 1 : to_send.size();
    const ssize_t length = ::send(socket.get(), to_send.data(), most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (is_over(length)) gone = true;
    if (length > 0) sent = static_cast<std::size_t>(length);
    to_send.erase(0, sent);
  }
  if (close_when_sent && to_send.empty()) gone = true;
  return sent;
}

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
#include "canned_server.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

namespace swapmq::live {

namespace {

struct Client {
  Descriptor socket;
  bool answered = false;
};

/// Whether there is more to come.
bool read_some(const Descriptor& socket) {
  std::array<char, 4096> buffer{};
  return ::recv(socket.get(), buffer.data(), buffer.size(), 0) > 0;
}

} // namespace

CannedServer::CannedServer(std::string answer, Then then)
    : answer_(std::move(answer)), then_(then), stop_(eventfd(0, EFD_CLOEXEC)) {
  if (!stop_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { run(); });
}

CannedServer::~CannedServer() {
  const std::uint64_t one = 1;
  while (::write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

void CannedServer::run() {
  std::vector<Client> clients;
  for (;;) {
    std::vector<pollfd> polled{{stop_.get(), POLLIN, 0}, {listener_.socket.get(), POLLIN, 0}};
    for (const Client& client : clients) polled.push_back({client.socket.get(), POLLIN, 0});
    ::poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) return;
    for (std::size_t i = clients.size(); i-- > 0;) {
      if (polled[i + 2].revents == 0) continue;
      Client& client = clients[i];
      bool stays = read_some(client.socket);
      if (stays && !std::exchange(client.answered, true)) {
        ::send(client.socket.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
        stays = then_ == Then::wait;
      }
      if (!stays) clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (polled[1].revents == 0) continue;
    Descriptor accepted(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted.valid()) continue;
    ++accepted_;
    clients.push_back({std::move(accepted)});
  }
}

} // namespace swapmq::live

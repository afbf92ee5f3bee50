// SPDX-License-Identifier: MIT
#include "daemon/control_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "daemon/status_report.h"

namespace swapmq::host {
namespace {

/// How often an errand that is under way is asked for news.
constexpr std::chrono::milliseconds errand_period{50};

} // namespace

std::string Refusal::go_on(Clock::time_point /*now*/, bool /*may_skip*/) {
  return std::exchange(over_, true) ? std::string() : refusal_line(why_);
}

struct ControlServer::Connection {
  Descriptor socket;
  Clock::time_point since;          ///< it connected
  std::string request{};            ///< as far as it has come
  std::unique_ptr<Errand> errand{}; ///< once the request is there
  std::string answer{};             ///< what is not written yet
  Clock::time_point read_last{};    ///< when the other end took something, or had nothing to take
};

ControlServer::ControlServer(ControlSocket socket, Begin begin)
    : socket_(std::move(socket)), begin_(std::move(begin)) {}
ControlServer::~ControlServer() = default;

void ControlServer::add_descriptors(std::vector<pollfd>& to) const {
  to.push_back({socket_.descriptor(), POLLIN, 0});
  for (const Connection& one : connections_) {
    short events = 0; // whether it has gone is told anyway
    if (one.errand == nullptr) events |= POLLIN;
    if (!one.answer.empty()) events |= POLLOUT;
    to.push_back({one.socket.get(), events, 0});
  }
}

ControlServer::Clock::time_point ControlServer::due(Clock::time_point now) const {
  Clock::time_point soonest = Clock::time_point::max();
  for (const Connection& one : connections_) {
    const bool asking = one.errand == nullptr;
    soonest = std::min(soonest, asking ? one.since + request_patience : now + errand_period);
  }
  return soonest;
}

void ControlServer::serve(Clock::time_point now) {
  accept_all(now);
  for (auto one = connections_.begin(); one != connections_.end();) {
    one = serve_one(*one, now) ? std::next(one) : connections_.erase(one);
  }
}

void ControlServer::accept_all(Clock::time_point now) {
  while (Descriptor socket = socket_.accept()) {
    Connection one{std::move(socket), now};
    one.read_last = now;
    if (connections_.size() >= most_connections) {
      one.answer = refusal_line(Error(
          Errc::resource_exhausted,
          std::to_string(most_connections) + " requests are being answered already; try again"));
      (void)write_answer(one, now); // a new socket has room for a line
      continue;
    }
    connections_.push_back(std::move(one));
  }
}

/// False: the end of the connection.
bool ControlServer::serve_one(Connection& one, Clock::time_point now) {
  if (one.errand == nullptr && !read_request(one, now)) return false;
  if (one.errand == nullptr) return now < one.since + request_patience;
  if (!one.errand->over()) {
    one.answer += one.errand->go_on(now, !one.answer.empty());
    if (one.answer.size() > most_waiting_bytes) return false;
  }
  if (!write_answer(one, now)) return false;
  if (one.answer.empty()) {
    one.read_last = now;
    return !one.errand->over();
  }
  return now < one.read_last + reader_patience;
}

/// False: it has gone. What follows the first line is not read.
bool ControlServer::read_request(Connection& one, Clock::time_point now) {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::recv(one.socket.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const std::size_t looked_at = one.request.size();
    one.request.append(piece.data(), static_cast<std::size_t>(got));
    const std::size_t end = one.request.find('\n', looked_at);
    if (std::min(end, one.request.size()) > most_line_bytes) {
      one.errand = std::make_unique<Refusal>(
          Error(Errc::too_large,
                "a request has at most " + std::to_string(most_line_bytes) + " bytes in one line"));
      return true;
    }
    if (end == std::string::npos) continue;
    one.errand = begin_(std::string_view(one.request).substr(0, end), now);
    return true;
  }
}

bool ControlServer::write_answer(Connection& one, Clock::time_point now) {
  std::string_view left = one.answer;
  while (!left.empty()) {
    const ssize_t sent = ::send(one.socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) break;
    one.read_last = now;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  one.answer.erase(0, one.answer.size() - left.size());
  if (!one.answer.empty() || one.errand == nullptr) return true;
  // Nothing to say just now: is anybody there to hear the rest?
  pollfd watched{one.socket.get(), 0, 0};
  return ::poll(&watched, 1, 0) == 0 || (watched.revents & (POLLHUP | POLLERR)) == 0;
}

} // namespace swapmq::host

// SPDX-License-Identifier: MIT
#include "resolver.hpp"

#include <sys/socket.h>

#include <chrono>
#include <utility>

namespace swapmq::network {
namespace {

using backend::Deadline;
using backend::Failure;

// A name server that is silent must not cost a thread for each attempt to connect.
constexpr std::size_t kMaxLate = 8;

Failure not_found(const std::string& host, int error) {
  return {SWAPMQ_UNAVAILABLE,
          "the host name \"" + host + "\" does not resolve (" + gai_strerror(error) +
              "): look at \"host\" or \"url\" and at the name servers",
          SWAPMQ_ERROR_RETRYABLE};
}

Failure too_late(const std::string& host) {
  return {SWAPMQ_TIMEOUT,
          "the host name \"" + host + "\" was not resolved in time: is the name server up?",
          SWAPMQ_ERROR_RETRYABLE};
}

} // namespace

Resolver::Answer Resolver::look_up(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  Answer answer;
  answer.error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (answer.error == 0) answer.addresses.reset(list);
  return answer;
}

Addresses Resolver::resolve(const std::string& host, uint16_t port, Deadline deadline) {
  Answer numeric = look_up(host, port, AI_NUMERICHOST); // asks nobody
  if (numeric.error == 0) return std::move(numeric.addresses);
  {
    const backend::Lock lock(mutex_);
    std::erase_if(late_, [](std::future<Answer>& answer) {
      return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
    if (late_.size() >= kMaxLate) throw too_late(host);
  }
  auto answer = std::async(std::launch::async, look_up, host, port, AI_ADDRCONFIG);
  if (answer.wait_until(deadline.at()) != std::future_status::ready) {
    const backend::Lock lock(mutex_);
    late_.push_back(std::move(answer));
    throw too_late(host);
  }
  Answer found = answer.get();
  if (found.error != 0) throw not_found(host, found.error);
  return std::move(found.addresses);
}

} // namespace swapmq::network

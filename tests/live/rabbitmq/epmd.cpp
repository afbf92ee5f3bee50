// SPDX-License-Identifier: MIT
#include "epmd.hpp"

#include <random>
#include <stdexcept>

namespace swapmq::live {

namespace {

std::string new_cookie() {
  std::random_device random;
  std::uniform_int_distribution<int> letter('A', 'Z');
  std::string cookie;
  for (int i = 0; i < 20; ++i) cookie += static_cast<char>(letter(random));
  return cookie;
}

} // namespace

Epmd::Epmd() : cookie_(new_cookie()) {
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    port_.emplace();
    process_.emplace(ChildProcess::Program{
        {"epmd", "-address", "127.0.0.1", "-port", std::to_string(port())}, "/dev/null", true});
    const bool settled =
        await([this] { return !process_->running() || connect_to(port()).valid(); });
    if (settled && process_->running()) return;
  }
  throw std::runtime_error("epmd does not listen on any port");
}

} // namespace swapmq::live

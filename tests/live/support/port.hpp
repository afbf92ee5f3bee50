// SPDX-License-Identifier: MIT
//
// TCP ports for servers that tests start, many of them at a time.
#pragma once

#include "descriptor.hpp"

namespace swapmq::live {

/// A port of 127.0.0.1 that was free, kept from all others who reserve here, in whatever process,
/// for as long as the object lives: so a server can be started on it, end, and start there again.
/// It lies outside the range from which the kernel takes the ports of outgoing connections.
class ReservedPort {
 public:
  /// Tries `first`, unless it is 0, without looking whether a server has it; then any. Throws
  /// std::runtime_error where there is none.
  explicit ReservedPort(int first = 0);
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_ = 0;
  Descriptor claim_; // bound to an abstract name of the port; the kernel frees it with the process
};

/// A socket that listens on a port of 127.0.0.1 that the kernel chose.
struct Listener {
  Listener();
  Descriptor socket;
  int port = 0;
};

/// A connection that was made to it, prompt; invalid where there is none.
[[nodiscard]] Descriptor accept_from(const Listener& listener);

/// Connected to a port of 127.0.0.1, or about to be. Non-blocking, no delay.
[[nodiscard]] Descriptor begin_connect(int port);
/// As above, awaited; invalid where it is refused, or not answered for five seconds.
[[nodiscard]] Descriptor connect_to(int port);

/// From now on as with O_NONBLOCK, and small pieces are sent at once.
void make_prompt(const Descriptor& socket);

} // namespace swapmq::live

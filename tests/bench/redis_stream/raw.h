// SPDX-License-Identifier: MIT
//
// What a client of Redis reaches that does this one thing and nothing else: own encoder, own
// reader, a blocking socket, one thread. Where it is not plain what is fastest, there are variants;
// the fastest on this machine, in this run, is what the library is compared with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "contender.h"

namespace bench {

struct RawVariant {
  std::string label;
  std::function<std::unique_ptr<Contender>()> make; ///< each with a connection of its own
};

/// Batches, each answered before the next is sent.
std::vector<RawVariant> raw_publishing(std::uint16_t port, std::size_t batch);
/// Two windows in flight: the next is written before the last is answered.
std::vector<RawVariant> raw_windows(std::uint16_t port);
/// One at a time, each timed.
std::vector<RawVariant> raw_single(std::uint16_t port);
/// XDEL and XACK of the last batch and the XREADGROUP of the next one in one write.
std::vector<RawVariant> raw_consuming(std::uint16_t port, std::size_t batch);
/// Threads that are woken and block, once a message, without any broker: a group by one call of the
/// kernel, or each by one of its own. They touch no ids.
std::vector<RawVariant> woken_together(std::size_t threads);
std::vector<RawVariant> woken_apart(std::size_t threads);

} // namespace bench

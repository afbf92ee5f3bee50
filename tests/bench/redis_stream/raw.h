// SPDX-License-Identifier: MIT
//
// What a client of Redis reaches that does this one thing and nothing else: own encoder, own
// reader, a blocking socket, one thread. Where it is not plain what is fastest, there are variants;
// the fastest on this machine, in this run, is what the library is compared with.
#pragma once

#include <cstdint>
#include <vector>

#include "../broker/contender.h"

namespace bench {

/// Batches, each answered before the next is sent.
std::vector<RawVariant> raw_publishing(std::uint16_t port, std::size_t batch);
/// Two windows in flight: the next is written before the last is answered.
std::vector<RawVariant> raw_windows(std::uint16_t port);
/// One at a time, each timed.
std::vector<RawVariant> raw_single(std::uint16_t port);
/// XDEL and XACK of the last batch and the XREADGROUP of the next one in one write.
std::vector<RawVariant> raw_consuming(std::uint16_t port, std::size_t batch);

} // namespace bench

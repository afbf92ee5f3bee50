// SPDX-License-Identifier: MIT
//
// The library as an application uses it: the public API, a config that names the plugin.
#pragma once

#include <cstdint>
#include <memory>

#include "contender.h"
#include "swapmq/swapmq.hpp"

namespace bench {

/// Throws swapmq::Exception.
swapmq::MessageQueue open_library(std::uint16_t port);

std::unique_ptr<Contender> library_batches(swapmq::MessageQueue& mq, std::size_t batch);
std::unique_ptr<Contender> library_async(swapmq::MessageQueue& mq);
std::unique_ptr<Contender> library_threads(swapmq::MessageQueue& mq, std::size_t threads);
std::unique_ptr<Contender> library_single(swapmq::MessageQueue& mq);
/// A handler, with a prefetch that makes `batch` travel together.
std::unique_ptr<Contender> library_handler(swapmq::MessageQueue& mq, std::size_t batch);

} // namespace bench

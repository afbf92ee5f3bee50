// SPDX-License-Identifier: MIT
//
// The library as an application uses it: the public API, a config that names the plugin.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "contender.h"
#include "swapmq/swapmq.hpp"

namespace bench {

/// With the options, a JSON object, of that plugin. Throws swapmq::Exception.
swapmq::MessageQueue open_library(std::string_view plugin, std::string_view options);

std::unique_ptr<Contender> library_batches(swapmq::MessageQueue& mq, std::size_t batch);
std::unique_ptr<Contender> library_async(swapmq::MessageQueue& mq);
std::unique_ptr<Contender> library_threads(swapmq::MessageQueue& mq, std::size_t threads);
std::unique_ptr<Contender> library_single(swapmq::MessageQueue& mq);
/// A handler that acks.
std::unique_ptr<Contender> library_handler(swapmq::MessageQueue& mq, std::uint32_t prefetch);
/// A handler that acks, while another thread publishes batches.
std::unique_ptr<Contender> library_both(swapmq::MessageQueue& mq, std::size_t batch,
                                        std::uint32_t prefetch);

} // namespace bench

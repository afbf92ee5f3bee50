// SPDX-License-Identifier: MIT
//
// What the plugin says of itself, and its entry.
#include "options.hpp"
#include "publish.hpp"
#include "session.hpp"
#include "swapmq/backend.hpp"

namespace {

constexpr swapmq_capabilities kCapabilities{
    .struct_size = sizeof(swapmq_capabilities),
    // That is the server's configuration; the option of this name says what it is.
    .durability = SWAPMQ_DURABILITY_NONE,
    .ordering = SWAPMQ_ORDERING_QUEUE,
    .sharing = SWAPMQ_SHARING_NETWORK,
    .delayed_publish = SWAPMQ_NATIVE,
    .delayed_nack = SWAPMQ_NATIVE,
    .ttl = SWAPMQ_NATIVE,
    .priority = SWAPMQ_ABSENT,
    .release = SWAPMQ_NATIVE,
    .dead_letter = SWAPMQ_NATIVE,
    .deduplication = SWAPMQ_ABSENT,
    .purge = SWAPMQ_NATIVE,
    .counts_crashes = SWAPMQ_NATIVE,
    .max_length = SWAPMQ_NATIVE,
};

constexpr swapmq_limits kLimits{
    .struct_size = sizeof(swapmq_limits),
    .max_queue_name_bytes = 255,
    .max_body_bytes = swapmq::redis::kMaxBodyBytes,
    .max_headers_bytes = swapmq::redis::kMaxHeadersBytes,
    .max_header_count = swapmq::redis::kMaxHeaderCount,
    .max_publish_batch = swapmq::redis::kMaxPublishBatch,
    .max_receive_batch = 65536,
    .max_priority = 9,
    .max_delay_ms = 0,
    .queue_name_alphabet = nullptr,
};

const swapmq_plugin_info kInfo{
    .struct_size = sizeof(swapmq_plugin_info),
    .flags = 0,
    .name = "redis_stream",
    .version = "0.1.0",
    .license = "MIT",
    .description = "Queues in Redis Streams, one stream and one consumer group each",
    .options_schema = swapmq::redis::kOptionsSchema,
    .capabilities = &kCapabilities,
    .limits = &kLimits,
};

} // namespace

SWAPMQ_DEFINE_BACKEND(swapmq::redis::RedisSession, kInfo)

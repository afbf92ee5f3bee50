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
    .durability = SWAPMQ_DURABILITY_POWER,
    .ordering = SWAPMQ_ORDERING_QUEUE,
    .sharing = SWAPMQ_SHARING_MACHINE,
    .delayed_publish = SWAPMQ_NATIVE,
    .delayed_nack = SWAPMQ_NATIVE,
    .ttl = SWAPMQ_NATIVE,
    .priority = SWAPMQ_NATIVE,
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
    .max_body_bytes = swapmq::sqlite::kMaxBodyBytes,
    .max_headers_bytes = swapmq::sqlite::kMaxHeadersBytes,
    .max_header_count = swapmq::sqlite::kMaxHeaderCount,
    .max_publish_batch = swapmq::sqlite::kMaxBatch,
    .max_receive_batch = swapmq::sqlite::kMaxBatch,
    .max_priority = 9,
    .max_delay_ms = 0,
    .queue_name_alphabet = nullptr,
};

const swapmq_plugin_info kInfo{
    .struct_size = sizeof(swapmq_plugin_info),
    .flags = 0,
    .name = "sqlite",
    .version = "0.1.0",
    .license = "MIT",
    .description = "Durable queues in one SQLite file, shared by the processes of a machine",
    .options_schema = swapmq::sqlite::kOptionsSchema,
    .capabilities = &kCapabilities,
    .limits = &kLimits,
};

} // namespace

SWAPMQ_DEFINE_BACKEND(swapmq::sqlite::SqliteSession, kInfo)

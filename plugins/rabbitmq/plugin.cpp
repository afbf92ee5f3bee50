// SPDX-License-Identifier: MIT
//
// What the plugin says of itself, and its entry.
#include "message_encoder.hpp"
#include "options.hpp"
#include "publish.hpp"
#include "queue_names.hpp"
#include "session.hpp"
#include "swapmq/backend.hpp"

namespace {

constexpr swapmq_capabilities kCapabilities{
    .struct_size = sizeof(swapmq_capabilities),
    .durability = SWAPMQ_DURABILITY_POWER, // it confirms what is on its disk
    .ordering = SWAPMQ_ORDERING_QUEUE,
    .sharing = SWAPMQ_SHARING_NETWORK,
    .delayed_publish = SWAPMQ_EMULATED,
    .delayed_nack = SWAPMQ_EMULATED,
    .ttl = SWAPMQ_NATIVE,
    .priority = SWAPMQ_ABSENT, // but for classic queues with max_priority
    .release = SWAPMQ_NATIVE,
    .dead_letter = SWAPMQ_EMULATED,
    .deduplication = SWAPMQ_ABSENT,
    .purge = SWAPMQ_NATIVE,
    // The broker counts a return by a crash like a release, so neither is counted.
    .counts_crashes = SWAPMQ_ABSENT,
    .max_length = SWAPMQ_EMULATED, // of what is ready
};

constexpr swapmq_limits kLimits{
    .struct_size = sizeof(swapmq_limits),
    .max_queue_name_bytes = swapmq::rabbitmq::kMaxQueueName,
    .max_body_bytes = 134217728,
    .max_headers_bytes = swapmq::rabbitmq::kMaxHeadersBytes,
    .max_header_count = swapmq::rabbitmq::kMaxHeaderCount,
    .max_publish_batch = swapmq::rabbitmq::kMaxPublishBatch,
    .max_receive_batch = 65535,
    .max_priority = 9,
    .max_delay_ms = 0,
    .queue_name_alphabet = nullptr,
};

const swapmq_plugin_info kInfo{
    .struct_size = sizeof(swapmq_plugin_info),
    .flags = 0,
    .name = "rabbitmq",
    .version = "0.1.0",
    .license = "MIT",
    .description = "Queues of a RabbitMQ broker, by AMQP 0-9-1",
    .options_schema = swapmq::rabbitmq::kOptionsSchema,
    .capabilities = &kCapabilities,
    .limits = &kLimits,
};

} // namespace

SWAPMQ_DEFINE_BACKEND(swapmq::rabbitmq::RabbitSession, kInfo)

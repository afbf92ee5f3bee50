// SPDX-License-Identifier: MIT
//
// What the plugin says of itself, and its one exported symbol.
#include "session.hpp"

namespace swapmq::memory {
namespace {

constexpr swapmq_capabilities kCapabilities = [] {
  swapmq_capabilities capabilities{};
  capabilities.struct_size = sizeof capabilities;
  capabilities.durability = SWAPMQ_DURABILITY_NONE;
  capabilities.ordering = SWAPMQ_ORDERING_QUEUE;
  capabilities.sharing = SWAPMQ_SHARING_PROCESS;
  capabilities.delayed_publish = SWAPMQ_NATIVE;
  capabilities.delayed_nack = SWAPMQ_NATIVE;
  capabilities.ttl = SWAPMQ_NATIVE;
  capabilities.priority = SWAPMQ_NATIVE;
  capabilities.release = SWAPMQ_NATIVE;
  capabilities.dead_letter = SWAPMQ_NATIVE;
  capabilities.deduplication = SWAPMQ_ABSENT;
  capabilities.purge = SWAPMQ_NATIVE;
  // A consumer does not die without its process, and then nothing is left to return.
  capabilities.counts_crashes = SWAPMQ_ABSENT;
  capabilities.max_length = SWAPMQ_NATIVE;
  return capabilities;
}();

constexpr swapmq_limits kLimits = [] {
  swapmq_limits limits{};
  limits.struct_size = sizeof limits;
  limits.max_queue_name_bytes = kMaxQueueNameBytes;
  limits.max_body_bytes = max_body_bytes(kDefaultMaxBytes);
  limits.max_priority = 9;
  return limits;
}();

const swapmq_plugin_info& info() {
  static const swapmq_plugin_info described{
      .struct_size = sizeof(swapmq_plugin_info),
      .flags = 0,
      .name = "memory",
      .version = "0.1.0",
      .license = "MIT",
      .description = "Queues in the memory of this process, forgotten when its last backend closes",
      .options_schema = kOptionsSchema,
      .capabilities = &kCapabilities,
      .limits = &kLimits};
  return described;
}

} // namespace
} // namespace swapmq::memory

SWAPMQ_DEFINE_BACKEND(swapmq::memory::MemorySession, swapmq::memory::info())

// SPDX-License-Identifier: MIT
#include "keys.hpp"

#include "swapmq/backend.hpp"

namespace swapmq::redis {
namespace {

/// Whether Redis Cluster hashes only what is between the first '{' and the next '}'
/// (Redis Cluster specification, "Hash tags").
bool has_hash_tag(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open == std::string_view::npos) return false;
  const std::size_t close = key.find('}', open);
  return close != std::string_view::npos && close > open + 1;
}

/// Beginnings of two different streams never make the same key: one is in braces, the other follows
/// a "t:", and all ends are fixed.
std::string own_keys_of(const std::string& stream) {
  if (has_hash_tag(stream)) return std::string(kOwnKeys) + "t:" + stream;
  return std::string(kOwnKeys) + "{" + stream + "}";
}

} // namespace

QueueKeys::QueueKeys(std::string_view name, const Options& options)
    : stream(options.key_prefix + std::string(name)),
      group(options.consumer_group_prefix + std::string(name) + "_group"),
      own(own_keys_of(stream)),
      due(own + ":due"),
      scheduled(own + ":scheduled"),
      later(own + ":later"),
      expiry(own + ":expiry") {
  if (stream.starts_with(kOwnKeys)) {
    throw backend::Failure(SWAPMQ_INVALID_ARGUMENT,
                           "a queue's key cannot begin with \"swapmq:\", which is where the keys "
                           "beside the streams are: use another name or \"key_prefix\"");
  }
}

} // namespace swapmq::redis

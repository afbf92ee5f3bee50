// SPDX-License-Identifier: MIT
#include "keys.hpp"

#include "swapmq/backend.hpp"

namespace swapmq::redis {
namespace {

/// Where the stream's name ends is never in question, so that two of them never make the same key,
/// whatever follows: it ends with the first '}', or after as many bytes as are said before it.
/// Redis Cluster hashes what is between the first '{' and the next '}', or all of it (its
/// specification, "Hash tags"): with the braces it is the whole name, without them the name's own
/// tag.
std::string own_keys_of(const std::string& stream) {
  if (stream.find('}') == std::string::npos) return std::string(kOwnKeys) + "{" + stream + "}";
  return std::string(kOwnKeys) + "t" + std::to_string(stream.size()) + ":" + stream;
}

} // namespace

QueueKeys::QueueKeys(std::string_view name, const Options& options)
    : stream(options.key_prefix + std::string(name)),
      group(options.consumer_group_prefix + std::string(name) + "_group"),
      own(own_keys_of(stream)),
      due(own + ":due"),
      scheduled(own + ":scheduled"),
      later(own + ":later"),
      expiry(own + ":expiry"),
      claimed(own + ":claimed") {
  if (stream.starts_with(kOwnKeys)) {
    throw backend::Failure(SWAPMQ_INVALID_ARGUMENT,
                           "a queue's key cannot begin with \"swapmq:\", which is where the keys "
                           "beside the streams are: use another name or \"key_prefix\"");
  }
}

} // namespace swapmq::redis

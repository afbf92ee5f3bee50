// SPDX-License-Identifier: MIT
//
// The keys of a queue: that they are where the README says, nobody else's, and in the cluster slot
// of the stream.
#include "keys.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::redis {
namespace {

/// Redis Cluster specification, "Keys distribution model": CRC16 (XMODEM) of the hash tag or, where
/// there is none, of the key.
unsigned slot_of(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open);
    if (close != std::string_view::npos && close > open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  unsigned crc = 0;
  for (const char c : key) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021U : 0U);
    crc &= 0xffff;
  }
  return crc % 16384;
}

bool has_hash_tag(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open == std::string_view::npos) return false;
  const std::size_t close = key.find('}', open);
  return close != std::string_view::npos && close > open + 1;
}

/// Every text of these letters up to a length.
std::vector<std::string> texts_of(std::string_view letters, std::size_t most) {
  std::vector<std::string> all{""};
  for (std::size_t from = 0; from < all.size() && all[from].size() < most; ++from) {
    for (const char letter : letters) all.push_back(all[from] + letter);
  }
  return all;
}

/// Names that try to look like the keys of others.
std::vector<std::string> odd_names() {
  std::vector<std::string> names;
  for (const std::string& begin : texts_of("a{}:", 4)) {
    for (const char* end : {"", ":due", ":later", ":scheduled", ":expiry", ":claimed", ":id:x",
                            "}:id:x", ":alive:swapmq:h:0123456789abcdef", "}:due", "3:a"}) {
      if (!(begin + end).empty()) names.push_back(begin + end);
    }
  }
  return names;
}

std::vector<std::string> keys_of(const QueueKeys& keys) {
  std::vector<std::string> all{keys.stream, keys.due,    keys.scheduled,
                               keys.later,  keys.expiry, keys.claimed};
  for (const char* id : {"x", "x:due", "x}:due", "x}:id:x", "x:id:x", ":due", "due", "}:due"}) {
    all.push_back(keys.seen(id));
  }
  all.push_back(keys.alive("swapmq:h:0123456789abcdef"));
  all.push_back(keys.alive("swapmq:h}:id:x:0123456789abcdef"));
  return all;
}

TEST(Keys, AreThoseThatTheReadmeNames) {
  Options options;
  const QueueKeys plain("tasks", options);
  EXPECT_EQ(plain.stream, "tasks");
  EXPECT_EQ(plain.group, "tasks_group");
  EXPECT_EQ(plain.due, "swapmq:{tasks}:due");
  EXPECT_EQ(plain.later, "swapmq:{tasks}:later");
  EXPECT_EQ(plain.scheduled, "swapmq:{tasks}:scheduled");
  EXPECT_EQ(plain.expiry, "swapmq:{tasks}:expiry");
  EXPECT_EQ(plain.claimed, "swapmq:{tasks}:claimed");
  EXPECT_EQ(plain.alive("c"), "swapmq:{tasks}:alive:c");
  EXPECT_EQ(plain.seen("i"), "swapmq:{tasks}:id:i");
  EXPECT_EQ(QueueKeys("a{b}c", options).due, "swapmq:t5:a{b}c:due");

  options.key_prefix = "app:";
  options.consumer_group_prefix = "g-";
  const QueueKeys prefixed("tasks", options);
  EXPECT_EQ(prefixed.stream, "app:tasks");
  EXPECT_EQ(prefixed.group, "g-tasks_group");
  EXPECT_EQ(prefixed.due, "swapmq:{app:tasks}:due");
}

TEST(Keys, OfDifferentQueuesAreDifferent) {
  std::map<std::string, std::string> owners;
  for (const std::string& name : odd_names()) {
    for (const std::string& key : keys_of(QueueKeys(name, Options()))) {
      const auto [at, is_new] = owners.emplace(key, name);
      EXPECT_TRUE(is_new || at->second == name)
          << "\"" << name << "\" and \"" << at->second << "\" share the key " << key;
    }
  }
  EXPECT_GT(owners.size(), 10'000U);
}

TEST(Keys, OfOneQueueAreInTheSlotOfItsStream) {
  EXPECT_EQ(slot_of("123456789"), 0x31c3U % 16384); // of the specification
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
  for (const std::string& name : odd_names()) {
    // No other key can be where such a name is: see the README.
    if (name.find('}') != std::string::npos && !has_hash_tag(name)) continue;
    for (const std::string& key : keys_of(QueueKeys(name, Options()))) {
      EXPECT_EQ(slot_of(key), slot_of(name)) << key << " of \"" << name << "\"";
    }
  }
  Options options;
  options.key_prefix = "{app}:";
  EXPECT_EQ(slot_of(QueueKeys("x", options).due), slot_of("{app}"));
}

TEST(Keys, ANameCannotBeginAsTheKeysBesideTheStreamsDo) {
  Options options;
  for (const char* name : {"swapmq:", "swapmq:x", "swapmq:{tasks}:due"}) {
    try {
      const QueueKeys keys(name, options);
      ADD_FAILURE() << "taken: " << name;
    } catch (const backend::Failure& failure) {
      EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
    }
  }
  EXPECT_NO_THROW(QueueKeys("swapmq", options));
  EXPECT_NO_THROW(QueueKeys("Swapmq:x", options));
  options.key_prefix = "app:";
  EXPECT_NO_THROW(QueueKeys("swapmq:x", options));
  options.key_prefix = "swap";
  EXPECT_THROW(QueueKeys("mq:x", options), backend::Failure);
}

} // namespace
} // namespace swapmq::redis

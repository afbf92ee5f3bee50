// SPDX-License-Identifier: MIT
//
// What the server's error replies mean to a host.
#include "server_error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace swapmq::redis {
namespace {

struct Case {
  std::string reply;
  swapmq_status status;
  bool retryable;
};

TEST(ServerError, HasTheMeaningOfItsCode) {
  const std::vector<Case> all{
      {"LOADING Redis is loading the dataset in memory", SWAPMQ_UNAVAILABLE, true},
      {"READONLY You can't write against a read only replica.", SWAPMQ_UNAVAILABLE, true},
      {"MOVED 3999 127.0.0.1:6381", SWAPMQ_NOT_SUPPORTED, false},
      {"ASK 3999 127.0.0.1:6381", SWAPMQ_NOT_SUPPORTED, false},
      {"CROSSSLOT Keys in request don't hash to the same slot", SWAPMQ_NOT_SUPPORTED, false},
      {"CLUSTERDOWN The cluster is down", SWAPMQ_UNAVAILABLE, true},
      {"OOM command not allowed when used memory > 'maxmemory'.", SWAPMQ_RESOURCE_EXHAUSTED, true},
      {"MISCONF Redis is configured to save RDB snapshots", SWAPMQ_RESOURCE_EXHAUSTED, true},
      {"NOAUTH Authentication required.", SWAPMQ_ACCESS_DENIED, false},
      {"WRONGPASS invalid username-password pair", SWAPMQ_ACCESS_DENIED, false},
      {"NOPERM this user has no permissions", SWAPMQ_ACCESS_DENIED, false},
      {"NOREPLICAS Not enough good replicas to write.", SWAPMQ_UNAVAILABLE, true},
      {"MASTERDOWN Link with MASTER is down", SWAPMQ_UNAVAILABLE, true},
      {"BUSY Redis is busy running a script.", SWAPMQ_UNAVAILABLE, true},
      {"NOSCRIPT No matching script. Please use EVAL.", SWAPMQ_UNAVAILABLE, true},
      {"NOGROUP No such key 'q' or consumer group 'g'", SWAPMQ_NOT_FOUND, true},
      {"UNBLOCKED the stream key no longer exists", SWAPMQ_NOT_FOUND, true},
      {"WRONGTYPE Operation against a key", SWAPMQ_CONFLICT, false},
      {"ERR max number of clients reached", SWAPMQ_UNAVAILABLE, true},
      {"ERR unknown command 'XADD'", SWAPMQ_NOT_SUPPORTED, false},
      {"ERR something else", SWAPMQ_INTERNAL, false},
      {"BUSYGROUP Consumer Group name already exists", SWAPMQ_INTERNAL, false},
      {"OOMPH", SWAPMQ_INTERNAL, false},
      {"", SWAPMQ_INTERNAL, false},
  };
  for (const Case& one : all) {
    const Meaning meaning = meaning_of(one.reply);
    EXPECT_EQ(meaning.status, one.status) << one.reply;
    EXPECT_EQ(meaning.flags, one.retryable ? SWAPMQ_ERROR_RETRYABLE : 0U) << one.reply;
  }
}

// Redis 6.2 wraps what a script met; 7.0 puts the script behind it.
TEST(ServerError, OfAScriptHasTheMeaningOfWhatItMet) {
  const std::string run = "ERR Error running script (call to f_6b1bf486c81ceb7edf3c0): ";
  const std::vector<Case> all{
      {run + "@user_script:23: NOGROUP No such key 'q' or consumer group 'g'", SWAPMQ_NOT_FOUND,
       true},
      // The queue's name holds the code of another error.
      {run + "@user_script:23: NOGROUP No such key 'TASKS' or consumer group 'LOADING'",
       SWAPMQ_NOT_FOUND, true},
      {run + "@user_script:9: WRONGTYPE Operation against a key", SWAPMQ_CONFLICT, false},
      {run + "@user_script:9: @user_script: 9: -OOM command not allowed when used memory",
       SWAPMQ_RESOURCE_EXHAUSTED, true},
      {run + "@user_script:9: attempt to index a nil value (field 'OOM')", SWAPMQ_INTERNAL, false},
      {run + "@user_script:9: ", SWAPMQ_INTERNAL, false},
      {run, SWAPMQ_INTERNAL, false},
      {"NOGROUP No such key 'q' script: 6b1bf486c81ceb7edf3c0, on @user_script:23.",
       SWAPMQ_NOT_FOUND, true},
      {"ERR of @user_script:9: OOM", SWAPMQ_INTERNAL, false},
  };
  for (const Case& one : all) {
    const Meaning meaning = meaning_of(one.reply);
    EXPECT_EQ(meaning.status, one.status) << one.reply;
    EXPECT_EQ(meaning.flags, one.retryable ? SWAPMQ_ERROR_RETRYABLE : 0U) << one.reply;
  }
}

TEST(ServerError, BecomesOneLineOfBoundedLength) {
  const backend::Failure failure = server_failure(
      "to read", "ERR a\r\nb\tc\x1b[2J" + std::string(1, '\0') + std::string(1 << 20, 'x'));
  const std::string text = failure.what();
  EXPECT_EQ(text.find("Redis refused to read: "), 0U);
  EXPECT_NE(text.find("ERR a  b c"), std::string::npos) << text.substr(0, 200);
  EXPECT_LT(text.size(), 1000U);
  for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST(ServerError, ACodeIsAWholeWord) {
  EXPECT_TRUE(has_code("BUSYGROUP exists", "BUSYGROUP"));
  EXPECT_TRUE(has_code("BUSYGROUP", "BUSYGROUP"));
  EXPECT_FALSE(has_code("BUSYGROUP exists", "BUSY"));
  EXPECT_FALSE(has_code("", "BUSY"));
}

} // namespace
} // namespace swapmq::redis

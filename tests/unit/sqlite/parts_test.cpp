// SPDX-License-Identifier: MIT
//
// The parts of the backend that can be looked at alone.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "checksum.hpp"
#include "keys.hpp"
#include "options.hpp"
#include "record.hpp"
#include "shared_file.hpp"
#include "sqlite_driver.hpp"

namespace swapmq::sqlite {
namespace {

using test::TempFolder;

TEST(Checksum, IsTheOneEverybodyKnows) {
  EXPECT_EQ(crc32(0, ""), 0u);
  EXPECT_EQ(crc32(0, "123456789"), 0xcbf43926u);
  EXPECT_EQ(crc32(0, "The quick brown fox jumps over the lazy dog"), 0x414fa339u);
}

TEST(Checksum, MayBeTakenInPieces) {
  const std::string text(1000, 'a');
  for (std::size_t cut = 0; cut <= 40; ++cut) {
    EXPECT_EQ(crc32(crc32(0, text.substr(0, cut)), text.substr(cut)), crc32(0, text)) << cut;
  }
}

TEST(Keys, SortAsTheMessagesAreDelivered) {
  const int64_t high = key_of(lane_of(7, 9), kLastSequence);
  const int64_t low = key_of(lane_of(7, 0), 1);
  EXPECT_LT(high, low);
  EXPECT_LT(low, key_of(lane_of(8, 9), 1));
  EXPECT_EQ(priority_of_lane(lane_of(7, 9)), 9u);
  EXPECT_EQ(priority_of_lane(lane_of(7, 0)), 0u);
  EXPECT_EQ(queue_of_lane(lane_of(7, 3)), 7);
}

TEST(Keys, HoldTheLargestOfEachPart) {
  const int64_t key = key_of(lane_of(kLastQueue, 0), kLastSequence) | kApart;
  EXPECT_GT(key, 0);
  EXPECT_EQ(lane_of_key(key), lane_of(kLastQueue, 0));
  EXPECT_EQ(sequence_of(key), kLastSequence);
  EXPECT_EQ(place_of(key), key_of(lane_of(kLastQueue, 0), kLastSequence));
  EXPECT_GT(last_claim(kLastConsumer), first_claim(kLastConsumer));
}

TEST(Keys, AReceiptOfAnotherLengthIsNotOurs) {
  char buffer[Receipt::kBytes];
  swapmq_receipt receipt{};
  const std::string_view encoded = Receipt{5, 6}.encode(buffer);
  std::copy(encoded.begin(), encoded.end(), receipt.bytes);
  receipt.size = Receipt::kBytes;
  Receipt decoded;
  ASSERT_TRUE(Receipt::decode(receipt, decoded));
  EXPECT_EQ(decoded.key, 5);
  EXPECT_EQ(decoded.claim, 6);
  receipt.size = Receipt::kBytes - 1;
  EXPECT_FALSE(Receipt::decode(receipt, decoded));
}

TEST(Record, MalformedExtraIsNoticed) {
  swapmq_message message{};
  swapmq_header header{test::bytes("name"), test::bytes("value")};
  message.headers = &header;
  message.header_count = 1;
  message.header_size = sizeof header;
  std::string extra;
  encode_extra(message, extra);
  EXPECT_EQ(count_headers(extra), 1);
  EXPECT_EQ(count_headers(""), 0);
  for (std::size_t length = 1; length < extra.size(); ++length) {
    EXPECT_EQ(count_headers(std::string_view(extra).substr(0, length)), -1) << length;
  }
}

TEST(Record, TheChecksumCoversEachPartAndItsPlace) {
  const uint32_t sum = checksum_of(1, "ab", 2, 3, "cd", "ef");
  EXPECT_NE(sum, checksum_of(9, "ab", 2, 3, "cd", "ef"));
  EXPECT_NE(sum, checksum_of(1, "ab", 9, 3, "cd", "ef"));
  EXPECT_NE(sum, checksum_of(1, "ab", 2, 9, "cd", "ef"));
  EXPECT_NE(sum, checksum_of(1, "abc", 2, 3, "d", "ef"));
  EXPECT_NE(sum, checksum_of(1, "ab", 2, 3, "cde", "f"));
  EXPECT_NE(sum, checksum_of(1, "ab", 2, 3, "cd", "eg"));
}

TEST(Options, HaveTheDefaultsOfTheSchema) {
  const Options options = parse_options(R"({"path": "/x/../y/q.db"})");
  EXPECT_EQ(options.path, "/y/q.db");
  EXPECT_EQ(options.synchronous, Synchronous::kFull);
  EXPECT_EQ(options.busy_timeout.count(), 5000);
  EXPECT_EQ(options.lease.count(), 30000);
  EXPECT_EQ(options.max_messages, 0u);
}

TEST(Options, SayWhichKeyIsWrong) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "empty"},
      {"[]", "not a JSON object"},
      {"{", "byte"},
      {"{}", "\"path\" is missing"},
      {R"({"path": ""})", "\"path\""},
      {R"({"path": 7})", "\"path\""},
      {R"({"path": "a\u0000b"})", "NUL"},
      {R"({"path": "a", "pth": "b"})", "\"pth\""},
      {R"({"path": "a", "synchronous": "FULL"})", "\"synchronous\""},
      {R"({"path": "a", "synchronous": 2})", "\"synchronous\""},
      {R"({"path": "a", "busy_timeout_ms": -1})", "\"busy_timeout_ms\""},
      {R"({"path": "a", "lease_ms": 0})", "\"lease_ms\""},
      {R"({"path": "a", "lease_ms": 1.5})", "\"lease_ms\""},
      {R"({"path": "a", "max_messages": 99999999999999999999})", "\"max_messages\""},
      {std::string(100000, '['), "byte"},
  };
  for (const auto& [json, wanted] : table) {
    try {
      parse_options(json);
      ADD_FAILURE() << "accepted " << json.substr(0, 80);
    } catch (const backend::Failure& failure) {
      EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
      EXPECT_NE(std::string(failure.what()).find(wanted), std::string::npos) << failure.what();
    }
  }
}

TEST(WriteGate, LetsInOneAtATimeInOrder) {
  WriteGate gate;
  const auto soon = [] { return test::Clock::now() + std::chrono::seconds(10); };
  ASSERT_TRUE(gate.enter(soon()));
  std::vector<int> order;
  std::vector<std::thread> threads;
  std::atomic<int> begun{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      ++begun;
      ASSERT_TRUE(gate.enter(soon()));
      order.push_back(i); // guarded by the gate: this is what is tested, under TSan above all
      gate.leave();
    });
    ASSERT_TRUE(test::eventually([&] { return begun == i + 1; }));
  }
  EXPECT_FALSE(gate.enter(test::Clock::now())) << "entered although it was taken";
  gate.leave();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order.size(), 4u);
  EXPECT_TRUE(gate.enter(test::Clock::now()));
  gate.leave();
}

TEST(WriteGate, AWaiterThatGaveUpIsNotWaitedFor) {
  WriteGate gate;
  ASSERT_TRUE(gate.enter(test::Clock::now()));
  EXPECT_FALSE(gate.enter(test::Clock::now() + std::chrono::milliseconds(5)));
  gate.leave();
  EXPECT_TRUE(gate.enter(test::Clock::now()));
  gate.leave();
}

TEST(SharedFileTest, IsOnePerFileHoweverItIsNamed) {
  const TempFolder folder;
  const auto file = SharedFile::open(folder / "q.db");
  std::filesystem::create_symlink(folder / "q.db", folder / "link.db");
  EXPECT_EQ(file, SharedFile::open(folder / "link.db"));
  EXPECT_EQ(file, SharedFile::open(folder / "./x/../q.db"));
  EXPECT_NE(file, SharedFile::open(folder / "other.db"));
}

TEST(PeersTest, ASignOfLifeIsSeenByOthersUntilItEnds) {
  const TempFolder folder;
  const Peers ours(folder / "peers");
  {
    const Peers theirs(folder / "peers"); // as another process would have it
    ASSERT_TRUE(theirs.hold_owner(77));
    EXPECT_TRUE(ours.owner_lives(77));
    EXPECT_FALSE(ours.owner_lives(78));
    EXPECT_FALSE(ours.hold_owner(77));
  }
  EXPECT_FALSE(ours.owner_lives(77));
}

TEST(PeersTest, AWakeBeforeTheWaitIsNotSleptOver) {
  const TempFolder folder;
  const Peers peers(folder / "peers");
  const Peers theirs(folder / "peers");
  const uint32_t slot = Peers::slot_of("q");
  const uint32_t seen = peers.look(slot);
  theirs.wake(slot);
  const auto begin = test::Clock::now();
  peers.wait(slot, seen, begin + std::chrono::seconds(10));
  EXPECT_LT(test::Clock::now() - begin, std::chrono::seconds(5));
}

} // namespace
} // namespace swapmq::sqlite

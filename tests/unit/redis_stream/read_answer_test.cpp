// SPDX-License-Identifier: MIT
//
// Answers to XREADGROUP, in whichever pieces they come; beside hiredis' reader, which must see the
// same in them.
#include "read_answer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "commands.hpp"
#include "network/failures.hpp"

namespace swapmq::redis {
namespace {

using network::ConnectionLost;

using State = ReadAnswer::State;
using backend::view;

void append_bulk(std::string& to, std::string_view text) {
  to += "$" + std::to_string(text.size()) + "\r\n";
  to += text;
  to += "\r\n";
}

std::string entry(std::string_view id, const std::vector<std::string>& fields) {
  std::string made = "*2\r\n";
  append_bulk(made, id);
  made += "*" + std::to_string(fields.size()) + "\r\n";
  for (const std::string& field : fields) append_bulk(made, field);
  return made;
}

std::string answer_of(const std::vector<std::string>& entries) {
  std::string made = "*1\r\n*2\r\n";
  append_bulk(made, "tasks");
  made += "*" + std::to_string(entries.size()) + "\r\n";
  for (const std::string& one : entries) made += one;
  return made;
}

/// What an application would see.
std::string shown(const ReadAnswer::Entry& entry) {
  const swapmq_message& message = *entry.message;
  std::string text = std::to_string(entry.id.ms) + "-" + std::to_string(entry.id.sequence) + " " +
                     (entry.good ? "good" : "bad") + " " + std::string(view(message.id)) + " " +
                     std::string(view(message.body)) + " " + std::to_string(message.timestamp_ms);
  const auto headers = backend::headers_of(message);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    text += " " + std::string(view(headers[i].name)) + "=" + std::string(view(headers[i].value));
  }
  return text;
}

/// What came of an answer.
struct Taken {
  State state = State::awaited;
  std::string refusal;
  std::vector<std::string> entries;
};

Taken take(std::string_view bytes, std::size_t piece, std::size_t first = 0) {
  ReadAnswer answer;
  Taken taken;
  taken.state = answer.begin(bytes.substr(0, first));
  for (std::size_t at = first; at < bytes.size();) {
    const std::span<char> room = answer.room();
    const std::size_t size = std::min({room.size(), piece, bytes.size() - at});
    std::memcpy(room.data(), bytes.data() + at, size);
    taken.state = answer.received(size);
    at += size;
    if (taken.state == State::awaited) {
      EXPECT_TRUE(answer.is_under_way());
    }
  }
  taken.refusal = answer.refusal();
  const std::shared_ptr<Arena> memory = answer.take_memory();
  for (const ReadAnswer::Entry& one : answer.entries()) taken.entries.push_back(shown(one));
  return taken;
}

/// The same, by hiredis' reader.
std::vector<std::string> take_by_hiredis(std::string_view bytes) {
  ReplyReader reader("h");
  reader.feed(bytes.data(), bytes.size());
  const OwnedReply reply = reader.next();
  std::vector<std::string> entries;
  for (const Reply* at = reply->first->last->first; at != nullptr; at = at->next) {
    swapmq_message message{};
    ReadAnswer::Entry entry{{}, &message, false};
    EXPECT_TRUE(parse(at->first->text, entry.id));
    entry.good = decode(at->first->text, *at->first->next, *reply.arena, message);
    entries.push_back(shown(entry));
  }
  return entries;
}

const std::vector<std::string> kUsual{"message_id", "m1",   "data",           "a body",
                                      "timestamp",  "1700", "retry_count",    "0",
                                      "header:a",   "b",    "correlation_id", ""};

std::string usual_answer() {
  return answer_of({entry("1700000000000-0", kUsual), entry("1700000000000-1", {"data", ""}),
                    entry("1700000000001-0", {"nothing", "of ours"}),
                    entry("18446744073709551615-18446744073709551615",
                          {"data", std::string(3000, 'x'), "odd one"})});
}

TEST(ReadAnswer, IsTheSameInWhicheverPiecesItComes) {
  const std::string bytes = usual_answer();
  const std::vector<std::string> expected = take_by_hiredis(bytes);
  ASSERT_EQ(expected.size(), 4U);
  EXPECT_EQ(expected[0], "1700000000000-0 good m1 a body 1700 a=b");
  EXPECT_TRUE(expected[3].find(" bad ") != std::string::npos) << "an odd number of fields";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Taken taken = take(bytes, piece);
    ASSERT_EQ(taken.state, State::entries) << piece;
    ASSERT_EQ(taken.entries, expected) << piece;
  }
  for (std::size_t first = 0; first <= bytes.size(); ++first) { // by another reader's buffer
    ASSERT_EQ(take(bytes, bytes.size(), first).entries, expected) << first;
  }
}

TEST(ReadAnswer, IsNotOverBeforeItsLastByte) {
  const std::string bytes = usual_answer();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(take(std::string_view(bytes).substr(0, size), size + 1).state, State::awaited)
        << size;
  }
}

TEST(ReadAnswer, ManyEntriesAndLargeOnesGoOverManyBlocks) {
  std::vector<std::string> entries;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t size = i % 500 == 0 ? 700'000 : static_cast<std::size_t>(i % 300);
    entries.push_back(entry("1700000000000-" + std::to_string(i),
                            {"message_id", "m" + std::to_string(i), "data",
                             std::string(size, static_cast<char>('a' + i % 26))}));
  }
  const std::string bytes = answer_of(entries);
  const std::vector<std::string> expected = take_by_hiredis(bytes);
  for (const std::size_t piece : {std::size_t{999}, std::size_t{32 * 1024}, bytes.size()}) {
    EXPECT_EQ(take(bytes, piece).entries, expected) << piece;
  }
}

TEST(ReadAnswer, NothingAndRefusals) {
  EXPECT_EQ(take("*-1\r\n", 1).state, State::nothing);
  EXPECT_EQ(take("$-1\r\n", 2).state, State::nothing);
  for (std::size_t piece = 1; piece < 20; ++piece) {
    const Taken taken = take("-NOGROUP No such key\r\n", piece);
    EXPECT_EQ(taken.state, State::refused);
    EXPECT_EQ(taken.refusal, "NOGROUP No such key");
  }
  EXPECT_EQ(take(answer_of({}), 3).state, State::entries);
}

TEST(ReadAnswer, AnEntryWithoutFieldsIsUndecodable) {
  const Taken taken = take("*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n", 1);
  ASSERT_EQ(taken.entries.size(), 1U);
  EXPECT_TRUE(taken.entries[0].starts_with("1-1 bad")) << taken.entries[0];
}

TEST(ReadAnswer, WhatIsNoAnswerIsRefused) {
  const std::string good = usual_answer();
  const std::vector<std::string> bad{"+OK\r\n",
                                     ":1\r\n",
                                     "*2\r\n",
                                     "*0\r\n",
                                     "$1\r\nx\r\n",
                                     "*1\n",
                                     "*1\rx",
                                     "*\r\n",
                                     "*x\r\n",
                                     "*1\r\n*3\r\n",
                                     "*1\r\n*2\r\n:1\r\n",
                                     "*1\r\n*2\r\n$-1\r\n",
                                     "*1\r\n*2\r\n$1\r\nq\r\n*-1\r\n",
                                     "*1\r\n*2\r\n$1\r\nq\r\n$1\r\n",
                                     "*1\r\n*2\r\n$1\r\nqxx",
                                     "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*1\r\n",
                                     "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*2\r\n$3\r\nx-1\r\n*0\r\n",
                                     "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-2\r\n",
                                     "*1\r\n*2\r\n$1\r\nq\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*1\r\n:5\r\n",
                                     "*1\r\n*2\r\n$99999999999999999999\r\n",
                                     "*99999999999999999999",
                                     "HTTP/1.1 400 Bad Request",
                                     good + "x",
                                     "*-1\r\n+OK\r\n"};
  for (const std::string& bytes : bad) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, bytes.size()}) {
      EXPECT_THROW(take(bytes, piece), ConnectionLost) << bytes << " in pieces of " << piece;
    }
    EXPECT_THROW(take(bytes, bytes.size(), bytes.size()), ConnectionLost) << bytes;
  }
}

/// Feeds what `more` makes until it is refused; the bytes that it took.
template <class More>
std::size_t bytes_taken_of(ReadAnswer& answer, std::string_view head, More&& more) {
  answer.begin(head);
  for (std::size_t taken = 0;; taken += more.size()) {
    for (std::size_t at = 0; at < more.size();) {
      const std::span<char> room = answer.room();
      const std::size_t size = std::min(room.size(), more.size() - at);
      std::memcpy(room.data(), more.data() + at, size);
      try {
        answer.received(size);
      } catch (const ConnectionLost&) {
        return taken;
      }
      at += size;
    }
  }
}

TEST(ReadAnswer, WithoutEndIsRefusedWhenItIsTooMuch) {
  constexpr std::size_t kMost = std::size_t{4} << 20;
  const std::string head = "*1\r\n*2\r\n$1\r\nq\r\n*2000000000\r\n";
  const std::string field_head = head + "*2\r\n$3\r\n1-1\r\n*2000000000\r\n";
  const std::string body_head = field_head + "$4\r\ndata\r\n$2000000000\r\n";
  ReadAnswer answer(kMost);
  EXPECT_LE(bytes_taken_of(answer, head, entry("1-1", {"data", "x"})), kMost);
  EXPECT_LE(bytes_taken_of(answer, field_head, std::string("$0\r\n\r\n")), kMost);
  EXPECT_LE(bytes_taken_of(answer, body_head, std::string(1000, 'x')), kMost);
  EXPECT_LE(bytes_taken_of(answer, "-", std::string(1000, 'x')), 128U * 1024);
  EXPECT_LE(bytes_taken_of(answer, "*1", std::string(1000, '0')), 2000U);
  // And the connection's next one is read as if nothing had been.
  EXPECT_EQ(answer.begin("*-1\r\n"), State::nothing);
}

TEST(ReadAnswer, OneAfterAnotherKeepsNothingOfTheLast) {
  ReadAnswer answer;
  std::shared_ptr<Arena> first_memory;
  ASSERT_EQ(answer.begin(answer_of({entry("1-1", kUsual), entry("1-2", kUsual)})), State::entries);
  const ReadAnswer::Entry first = answer.entries()[1];
  first_memory = answer.take_memory();
  ASSERT_EQ(answer.begin(answer_of({entry("2-1", {"data", "other"})})), State::entries);
  ASSERT_EQ(answer.entries().size(), 1U);
  EXPECT_EQ(shown(answer.entries()[0]), "2-1 good 2-1 other 2");
  EXPECT_EQ(shown(first), "1-2 good m1 a body 1700 a=b");
  ASSERT_EQ(answer.begin("-ERR no\r\n"), State::refused);
  EXPECT_TRUE(answer.entries().empty());
}

} // namespace
} // namespace swapmq::redis

// SPDX-License-Identifier: MIT
//
// Bytes to replies: whole and brief ones, however the bytes come in pieces, and what is no reply.
#include "reply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "network/failures.hpp"

namespace swapmq::redis {
namespace {

using network::ConnectionLost;

using namespace std::string_literals;

/// A reply as a text that shows all of it.
std::string shown(const Reply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_STRING:
      return "\"" + std::string(reply.text) + "\"";
    case REDIS_REPLY_STATUS:
      return "+" + std::string(reply.text);
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply.text);
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "nil";
    default:
      break;
  }
  std::string all = "[";
  uint32_t count = 0;
  for (const Reply* at = reply.first; at != nullptr; at = at->next) {
    if (count++ > 0) all += " ";
    all += shown(*at);
    EXPECT_EQ(at->next == nullptr, at == reply.last);
  }
  EXPECT_EQ(count, reply.count);
  return all + "]";
}

const std::string kAll =
    "+OK\r\n"
    ":-42\r\n"
    "$-1\r\n"
    "*-1\r\n"
    "$0\r\n\r\n"
    "$6\r\na\r\nb\0c\r\n"
    "-ERR no\r\n"
    "*0\r\n"
    "*2\r\n:1\r\n*3\r\n$1\r\nx\r\n*0\r\n-WRONGTYPE in an array\r\n"
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n"
    "$16\r\n1700000000000-12\r\n"s;
const std::vector<std::string> kAllShown{"+OK",
                                         "-42",
                                         "nil",
                                         "nil",
                                         "\"\"",
                                         "\"a\r\nb\0c\""s,
                                         "-ERR no",
                                         "[]",
                                         "[1 [\"x\" [] -WRONGTYPE in an array]]",
                                         "[[[[[[[7]]]]]]]",
                                         "\"1700000000000-12\""};

std::vector<std::string> read_all(ReplyReader& reader) {
  std::vector<std::string> all;
  while (const OwnedReply reply = reader.next()) all.push_back(shown(*reply));
  return all;
}

TEST(Replies, OfEachKind) {
  ReplyReader reader("h");
  EXPECT_FALSE(reader.next());
  const std::string& bytes = kAll;
  reader.feed(bytes.data(), bytes.size());
  EXPECT_EQ(read_all(reader), kAllShown);
  EXPECT_FALSE(reader.next());
}

TEST(Replies, SplitAnywhereAreTheSame) {
  const std::string& bytes = kAll;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ReplyReader reader("h");
    reader.feed(bytes.data(), cut);
    std::vector<std::string> all = read_all(reader);
    reader.feed(bytes.data() + cut, bytes.size() - cut);
    for (std::string& one : read_all(reader)) all.push_back(std::move(one));
    ASSERT_EQ(all, kAllShown) << "cut at " << cut;
  }
  ReplyReader reader("h");
  std::vector<std::string> all;
  for (const char byte : bytes) {
    reader.feed(&byte, 1);
    for (std::string& one : read_all(reader)) all.push_back(std::move(one));
  }
  EXPECT_EQ(all, kAllShown);
}

TEST(Replies, LiveAsLongAsTheirArena) {
  ReplyReader reader("h");
  const std::string bytes = "*2\r\n$3\r\nabc\r\n$3\r\ndef\r\n:5\r\n";
  reader.feed(bytes.data(), bytes.size());
  const OwnedReply kept = reader.next();
  for (int i = 0; i < 1000; ++i) reader.feed(bytes.data(), bytes.size());
  while (reader.next()) {
  }
  EXPECT_EQ(shown(*kept), "[\"abc\" \"def\"]");
}

TEST(BriefReplies, SayWhatMattersOfTheOutermost) {
  struct Case {
    std::string bytes;
    int type;
    int64_t integer;
    std::string text;
  };
  const std::string long_text(5000, 'x');
  const std::vector<Case> all{
      {"+OK\r\n", REDIS_REPLY_STATUS, 0, "OK"},
      {"-OOM command\r\n", REDIS_REPLY_ERROR, 0, "OOM command"},
      {":-7\r\n", REDIS_REPLY_INTEGER, -7, ""},
      {"$-1\r\n", REDIS_REPLY_NIL, 0, ""},
      {"$4\r\nfull\r\n", REDIS_REPLY_STRING, 0, "full"},
      {"$16\r\n1700000000000-12\r\n", REDIS_REPLY_STRING, 0, "1700000000000-12"},
      {"$5000\r\n" + long_text + "\r\n", REDIS_REPLY_STRING, 0, long_text.substr(0, 512)},
      {"-" + long_text + "\r\n", REDIS_REPLY_ERROR, 0, long_text.substr(0, 512)},
      {"*0\r\n", REDIS_REPLY_ARRAY, 0, ""},
      {"*3\r\n:9\r\n+in\r\n*1\r\n-ERR in\r\n", REDIS_REPLY_ARRAY, 0, ""},
  };
  for (const Case& one : all) {
    for (std::size_t cut = 0; cut<one.bytes.size(); cut += one.bytes.size()> 1000 ? 499 : 1) {
      ReplyReader reader("h");
      Brief brief;
      reader.feed(one.bytes.data(), cut);
      ASSERT_FALSE(reader.next(brief));
      reader.feed(one.bytes.data() + cut, one.bytes.size() - cut);
      ASSERT_TRUE(reader.next(brief));
      EXPECT_EQ(brief.type, one.type) << one.bytes;
      EXPECT_EQ(brief.integer, one.integer) << one.bytes;
      EXPECT_EQ(brief.text, one.text) << one.bytes;
      EXPECT_FALSE(reader.next(brief));
    }
  }
}

TEST(BriefReplies, AreEachAsIfNoneWasBefore) {
  ReplyReader reader("h");
  const std::string bytes = "-ERR x\r\n:5\r\n$-1\r\n+OK\r\n*0\r\n";
  reader.feed(bytes.data(), bytes.size());
  Brief brief;
  std::string all;
  while (reader.next(brief)) {
    all +=
        std::to_string(brief.type) + "," + std::to_string(brief.integer) + "," + brief.text + ";";
  }
  EXPECT_EQ(all, "6,0,ERR x;3,5,;4,0,;5,0,OK;2,0,;");
}

TEST(Replies, WholeAndBriefOnesInTurn) {
  ReplyReader reader("h");
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += ":1\r\n*1\r\n$1\r\nx\r\n";
  reader.feed(bytes.data(), bytes.size());
  for (int i = 0; i < 100; ++i) {
    Brief brief;
    ASSERT_TRUE(reader.next(brief));
    ASSERT_EQ(brief.type, REDIS_REPLY_INTEGER);
    const OwnedReply whole = reader.next();
    ASSERT_TRUE(whole);
    ASSERT_EQ(shown(*whole), "[\"x\"]");
  }
}

TEST(Replies, LeaveARestOrNone) {
  ReplyReader reader("h");
  EXPECT_FALSE(reader.has_rest());
  reader.feed(":1\r\n:2", 6);
  EXPECT_TRUE(reader.has_rest());
  EXPECT_TRUE(reader.next());
  EXPECT_TRUE(reader.has_rest());
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.has_rest());
  reader.feed("\r\n", 2);
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.has_rest());
}

// ---- what is no reply ---------------------------------------------------------------------------

/// Why the bytes are refused; empty if they are not.
std::string refusal(const std::string& bytes, bool brief, std::size_t most = 1 << 20,
                    std::size_t piece = 1 << 15) {
  ReplyReader reader("server:1", most);
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.feed(bytes.data() + at, std::min(piece, bytes.size() - at));
      Brief ignored;
      while (brief ? reader.next(ignored) : static_cast<bool>(reader.next())) {
      }
    }
    return {};
  } catch (const ConnectionLost& lost) {
    EXPECT_EQ(lost.status(), SWAPMQ_UNAVAILABLE);
    EXPECT_EQ(lost.flags(), SWAPMQ_ERROR_RETRYABLE);
    return lost.what();
  }
}

TEST(Replies, WhatIsNoRespIsRefused) {
  std::string deep;
  for (int i = 0; i < 12; ++i) deep += "*1\r\n";
  for (const std::string& bytes : {
           std::string("HTTP/1.1 400 Bad Request\r\n"),
           std::string("\r\n"),
           std::string(1, '\0'),
           std::string("\x15\x03\x01"),
           std::string("$-2\r\n"),
           std::string("*-2\r\n"),
           std::string("$99999999999999999999999\r\n"),
           std::string("*99999999999999999999999\r\n"),
           std::string("*4294967296\r\n"),
           std::string("$abc\r\n"),
           std::string("*abc\r\n"),
           std::string(":abc\r\n"),
           std::string(":99999999999999999999999\r\n"),
           std::string("*1\r\n!x\r\n"),
           // RESP3
           std::string("%1\r\n+a\r\n+b\r\n"),
           std::string("~1\r\n+a\r\n"),
           std::string(">1\r\n+a\r\n"),
           std::string(",1.5\r\n"),
           std::string("#t\r\n"),
           std::string("(12345678901234567890\r\n"),
           std::string("=5\r\ntxt:a\r\n"),
           std::string("*2\r\n:1\r\n,1.5\r\n"),
           std::string("*1\r\n#f\r\n"),
           deep + ":1\r\n",
       }) {
    for (const bool brief : {false, true}) {
      const std::string text = refusal(bytes, brief);
      EXPECT_NE(text.find("server:1"), std::string::npos) << "taken: " << bytes;
      for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << text;
    }
  }
}

TEST(Replies, OneThatIsTooLargeIsRefused) {
  constexpr std::size_t kMost = 1 << 20;
  const std::string fits = "$1000000\r\n" + std::string(1'000'000, 'x') + "\r\n";
  std::string many = "*2147483647\r\n";
  for (int i = 0; i < 100'000; ++i) many += ":1\r\n";
  for (const bool brief : {false, true}) {
    EXPECT_EQ(refusal(fits + fits + fits, brief, kMost), "");
    for (const char* length : {"$1073741824\r\n", "$9223372036854775807\r\n"}) {
      EXPECT_NE(refusal(length + std::string(kMost, 'x'), brief, kMost), "") << length;
    }
    // Without end, a line is refused long before: it is searched for its end with every piece.
    for (const char* line : {"+", "-", ":", "$", "*", "*3\r\n+"}) {
      EXPECT_NE(refusal(line + std::string(100'000, '1'), brief, kMost), "") << line;
    }
  }
  EXPECT_NE(refusal(many, false, kMost), "");
  EXPECT_EQ(refusal(many, true, kMost), "") << "a brief one takes no memory for its elements";
}

TEST(Replies, AnErrorOfManyWordsIsOne) {
  const std::string text = "-ERR " + std::string(60'000, 'x');
  EXPECT_EQ(refusal(text + "\r\n", false), "");
  EXPECT_EQ(refusal(text + "\r\n", true), "");
}

} // namespace
} // namespace swapmq::redis

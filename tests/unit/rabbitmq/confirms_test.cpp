// SPDX-License-Identifier: MIT
//
// Which messages a broker answered, in whatever order it does.
#include "confirms.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "network/failures.hpp"
#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using network::ConnectionLost;

OwnedFrame answer(bool acked, uint64_t tag, bool multiple) {
  if (acked) {
    return method_frame(AMQP_BASIC_ACK_METHOD,
                        amqp_basic_ack_t{tag, static_cast<amqp_boolean_t>(multiple)});
  }
  // With requeue, which means nothing here.
  return method_frame(AMQP_BASIC_NACK_METHOD,
                      amqp_basic_nack_t{tag, static_cast<amqp_boolean_t>(multiple), 1});
}

/// basic.return with its content: the body in parts.
std::vector<OwnedFrame> returned(const std::string& id, const std::vector<std::string>& body) {
  amqp_basic_return_t fields{};
  fields.reply_code = AMQP_NO_ROUTE;
  fields.reply_text = amqp_bytes("NO_ROUTE");
  fields.routing_key = amqp_bytes("queue");
  std::vector<OwnedFrame> frames{method_frame(AMQP_BASIC_RETURN_METHOD, fields)};
  std::size_t size = 0;
  for (const std::string& part : body) size += part.size();
  Output property;
  property.short_string(id);
  frames.push_back(
      {kHeaderFrame, 1, content_header(AMQP_BASIC_MESSAGE_ID_FLAG, property.bytes(), size)});
  for (const std::string& part : body) frames.push_back({kBodyFrame, 1, part});
  return frames;
}

/// Confirms, and what they said of each letter: "a" acked, "n" nacked, then "r" if it was returned.
class Book {
 public:
  explicit Book(uint64_t first_tag) : confirms(first_tag) {}

  /// Each with 100 bytes.
  void send(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      const std::string& kept = ids_.emplace_back(id);
      confirms.sent({said.size(), kept, 100 * (said.size() + 1)});
      said.emplace_back();
    }
  }
  void take(bool acked, uint64_t tag, bool multiple = false, uint64_t bytes_sent = UINT64_MAX) {
    const OwnedFrame frame = answer(acked, tag, multiple);
    confirms.answered(frame.frame(), bytes_sent, [this](const Sent& sent, bool ack) {
      said[sent.letter] += std::string(ack ? "a" : "n") + (sent.returned ? "r" : "");
    });
  }
  void take_return(const std::string& id, const std::vector<std::string>& body = {}) {
    for (const OwnedFrame& frame : returned(id, body)) {
      EXPECT_TRUE(confirms.take_return(frame.frame()));
    }
  }
  [[nodiscard]] std::vector<std::size_t> open() const {
    std::vector<std::size_t> letters;
    confirms.for_each_open([&](const Sent& sent) { letters.push_back(sent.letter); });
    return letters;
  }

  Confirms confirms;
  std::vector<std::string> said; // of each letter

 private:
  std::deque<std::string> ids_;
};

using Said = std::vector<std::string>;
using Letters = std::vector<std::size_t>;

TEST(Confirms, ComeInAnyOrder) {
  Book book(1);
  book.send({"a", "b", "c", "d"});
  EXPECT_EQ(book.confirms.in_flight(), 4U);
  book.take(true, 3);
  book.take(false, 1);
  EXPECT_EQ(book.said, (Said{"n", "", "a", ""}));
  EXPECT_EQ(book.confirms.in_flight(), 2U);
  EXPECT_EQ(book.open(), (Letters{1, 3}));
  book.send({"e"});
  book.take(true, 5);
  book.take(true, 4, true);
  EXPECT_EQ(book.said, (Said{"n", "a", "a", "a", "a"}));
  EXPECT_EQ(book.confirms.in_flight(), 0U);
  EXPECT_EQ(book.open(), Letters{});
}

TEST(Confirms, TheTagZeroIsAllThereIs) {
  Book book(7);
  book.take(true, 0, true); // nothing
  book.send({"a", "b", "c"});
  book.take(false, 8);
  book.take(true, 0, true);
  EXPECT_EQ(book.said, (Said{"a", "n", "a"}));
  book.send({"d"});
  book.take(false, 0, true);
  EXPECT_EQ(book.said, (Said{"a", "n", "a", "n"}));
  book.take(true, 0, true);
  EXPECT_EQ(book.confirms.in_flight(), 0U);
}

TEST(Confirms, OfAnEarlierCallAreNothing) {
  Book book(10);
  book.send({"a", "b"});
  for (const uint64_t tag : {0, 1, 9}) book.take(true, tag);
  book.take(true, 9, true);
  book.take(false, 9, true);
  EXPECT_EQ(book.said, (Said{"", ""}));
  book.take(true, 10, true); // of both calls
  EXPECT_EQ(book.said, (Said{"a", ""}));
}

TEST(Confirms, OfWhatWasNotSentEndTheConnection) {
  for (const bool multiple : {false, true}) {
    for (const uint64_t tag : {uint64_t{12}, uint64_t{13}, UINT64_MAX}) {
      Book book(10);
      book.send({"a", "b"});
      EXPECT_THROW(book.take(true, tag, multiple), ConnectionLost) << tag;
      EXPECT_EQ(book.said, (Said{"", ""}));
    }
    Book none(1);
    EXPECT_THROW(none.take(true, 1, multiple), ConnectionLost);
  }
}

TEST(Confirms, OfWhatIsNotWhollySentEndTheConnection) {
  for (const bool multiple : {false, true}) {
    Book book(1);
    book.send({"a", "b"});
    book.take(true, 1, multiple, 199);
    EXPECT_THROW(book.take(true, 2, multiple, 199), ConnectionLost);
    EXPECT_EQ(book.said, (Said{"a", ""}));
    book.take(true, 2, multiple, 200);
    EXPECT_EQ(book.said, (Said{"a", "a"}));
  }
}

TEST(Confirms, ThatCannotBeReadEndTheConnection) {
  const OwnedFrame whole = answer(true, 1, false);
  for (std::size_t size = 4; size < whole.payload.size(); ++size) {
    Book book(1);
    book.send({"a"});
    const OwnedFrame frame{kMethodFrame, 1, whole.payload.substr(0, size)};
    const auto nothing = [](const Sent& /*sent*/, bool /*acked*/) { FAIL(); };
    EXPECT_THROW(book.confirms.answered(frame.frame(), UINT64_MAX, nothing), ConnectionLost);
  }
}

/// All rows of up to three answers to four messages, and what they come to by the letter of AMQP.
class EveryAnswer : public testing::Test {
 protected:
  static constexpr std::size_t kMessages = 4;
  static constexpr uint64_t kFirst = 2;
  static constexpr std::size_t kAnswers = 2 * 2 * (kMessages + 2); // tags 0 and 1, too

  static void check(const std::vector<std::size_t>& answers) {
    Book book(kFirst);
    book.send({"a", "b", "c", "d"});
    Said expected(kMessages);
    for (const std::size_t number : answers) {
      const bool acked = number % 2 == 0;
      const bool multiple = number / 2 % 2 == 0;
      const uint64_t tag = number / 4;
      for (std::size_t i = 0; i < kMessages; ++i) {
        const uint64_t its = kFirst + i;
        const bool meant = multiple ? its <= tag || tag == 0 : its == tag;
        if (meant && expected[i].empty()) expected[i] = acked ? "a" : "n";
      }
      book.take(acked, tag, multiple);
      ASSERT_EQ(book.said, expected);
    }
    Letters open;
    for (std::size_t i = 0; i < kMessages; ++i) {
      if (expected[i].empty()) open.push_back(i);
    }
    ASSERT_EQ(book.open(), open);
    ASSERT_EQ(book.confirms.in_flight(), open.size());
  }
};

TEST_F(EveryAnswer, ComesToWhatAmqpSays) {
  for (std::size_t one = 0; one < kAnswers; ++one) {
    for (std::size_t two = 0; two < kAnswers; ++two) {
      for (std::size_t three = 0; three < kAnswers; ++three) {
        check({one, two, three});
        if (HasFailure()) FAIL() << one << " " << two << " " << three;
      }
    }
  }
}

// ---- returns ------------------------------------------------------------------------------------

TEST(Returns, ComeBeforeTheirConfirm) {
  Book book(1);
  book.send({"a", "b", "c"});
  book.take_return("b", {"bo", "dy"});
  EXPECT_EQ(book.confirms.in_flight(), 3U);
  book.take(true, 3, true);
  EXPECT_EQ(book.said, (Said{"a", "ar", "a"}));
}

TEST(Returns, OfTheSameIdAreInTheOrderOfPublishing) {
  Book book(1);
  book.send({"same", "same", "other", "same"});
  book.take_return("same");
  book.take_return("same", {"body"});
  book.take(true, 4, true);
  EXPECT_EQ(book.said, (Said{"ar", "ar", "a", "a"}));
}

TEST(Returns, OfWhatIsAnsweredAreOfTheNextOfItsId) {
  Book book(1);
  book.send({"same", "same"});
  book.take(true, 1);
  book.take_return("same");
  book.take(true, 2);
  EXPECT_EQ(book.said, (Said{"a", "ar"}));
}

TEST(Returns, OfAnEarlierCallAreTakenAndForgotten) {
  Book book(5);
  book.send({"a"});
  book.take_return("earlier", {"body"});
  book.take_return("", {});
  book.take(true, 5);
  EXPECT_EQ(book.said, Said{"a"});
}

TEST(Returns, TakeTheirOwnFramesAlone) {
  Book book(1);
  book.send({"a"});
  const auto frames = returned("a", {"bo", "dy"});
  const Frame header{kHeaderFrame, 1, frames[1].payload};
  const Frame body{kBodyFrame, 1, "x"};
  const OwnedFrame ack = answer(true, 1, false);
  EXPECT_FALSE(book.confirms.take_return(header));
  EXPECT_FALSE(book.confirms.take_return(body));
  EXPECT_FALSE(book.confirms.take_return(ack.frame()));
  for (const OwnedFrame& frame : frames) EXPECT_TRUE(book.confirms.take_return(frame.frame()));
  EXPECT_FALSE(book.confirms.take_return(header));
  EXPECT_FALSE(book.confirms.take_return(body));
}

TEST(Returns, WithAHeaderThatCannotBeReadEndTheConnection) {
  Book book(1);
  const auto frames = returned("a", {});
  EXPECT_TRUE(book.confirms.take_return(frames[0].frame()));
  EXPECT_THROW(book.confirms.take_return({kHeaderFrame, 1, "short"}), ConnectionLost);
}

} // namespace
} // namespace swapmq::rabbitmq

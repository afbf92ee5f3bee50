// SPDX-License-Identifier: MIT
//
// What goes in comes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class PublishConsume : public WithSqlite {
 protected:
  Finished consume_all(Args more = {}) {
    more.insert(more.begin(), {"consume", "q", "--idle-exit", "200ms"});
    return swapmq(std::move(more));
  }
};

std::string odd_lines() {
  std::string odd;
  for (int c = 0; c < 256; ++c) {
    if (c != '\n') odd += static_cast<char>(c);
  }
  return "\n\n" + odd + "\r\n" + std::string(1 << 20, '\0') + "\n\xff\xfe\n\n" + odd;
}

TEST_F(PublishConsume, LinesOfAnyBytesComeBackInOrder) {
  const std::string input = odd_lines();
  const Finished published = swapmq({"publish", "q", "--lines", "--batch", "2"}, {.input = input});
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_EQ(published.out, "");
  EXPECT_THAT(published.err, MatchesRegex("published 7 to q \\(sqlite\\) in [0-9.]+ s: "
                                          "confirmed 7 failed 0 in_doubt 0\n"));
  const Finished consumed = consume_all();
  EXPECT_EQ(consumed.code, 0) << consumed.err;
  EXPECT_TRUE(consumed.out == input + "\n") << "other bytes came back";
  EXPECT_THAT(consumed.err, MatchesRegex("consumed 7 from q \\(sqlite\\) in [0-9.]+ s: "
                                         "acked 7 released 0 lost 0\n"));
  EXPECT_EQ(consume_all().out, "") << "acked messages came again";
}

TEST_F(PublishConsume, ManyLinesFromAFile) {
  const std::string lines = numbered_lines(20'000);
  folder_.write("jobs.txt", lines);
  const Finished published = swapmq({"publish", "q", "jobs.txt", "--lines", "--json", "-q"});
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_EQ(number_after(published.out, "\"confirmed\":"), 20'000);
  EXPECT_EQ(published.err, "");
  EXPECT_TRUE(consume_all().out == lines) << "lines are missing, doubled or out of order";
}

TEST_F(PublishConsume, TheWholeInputIsOneMessage) {
  const std::string body = odd_lines();
  EXPECT_EQ(swapmq({"publish", "q"}, {.input = body}).code, 0);
  const Finished consumed = swapmq({"consume", "q", "--max", "1", "--raw"});
  EXPECT_EQ(consumed.code, 0) << consumed.err;
  EXPECT_TRUE(consumed.out == body);
}

TEST_F(PublishConsume, NothingIsAMessageToo) {
  EXPECT_EQ(swapmq({"publish", "q"}).code, 0);
  EXPECT_EQ(swapmq({"publish", "q", "--lines"}).code, 0);
  EXPECT_EQ(consume_all().out, "\n");
}

TEST_F(PublishConsume, NulSeparated) {
  const std::string input("a\nb\0\0c", 6);
  EXPECT_EQ(swapmq({"publish", "q", "--null"}, {.input = input}).code, 0);
  EXPECT_EQ(consume_all({"--null"}).out, std::string("a\nb\0\0c\0", 7));
}

TEST_F(PublishConsume, PropertiesAsJson) {
  EXPECT_EQ(
      swapmq({"publish", "q", "-H", "a=1", "--header", "b=\xff", "--content-type", "text/x",
              "--correlation-id", "c-1", "--ordering-key", "k", "--reply-to", "r", "--id", "id-1"},
             {.input = "caf\xc3\xa9 \"x\""})
          .code,
      0);
  EXPECT_EQ(swapmq({"publish", "q"}, {.input = "\xff"}).code, 0);
  const auto lines = lines_of(consume_all({"--json"}).out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr(R"("id":"id-1","queue":"q","body":"café \"x\"")"));
  EXPECT_THAT(
      lines[0],
      HasSubstr(R"("headers":[{"name":"a","value":"1"},{"name":"b","value_base64":"/w=="}])"));
  EXPECT_THAT(lines[0], HasSubstr(R"("delivery_count":1,"redelivered":false)"));
  EXPECT_THAT(lines[0], HasSubstr(R"("ordering_key":"k","correlation_id":"c-1","reply_to":"r",)"
                                  R"("content_type":"text/x"})"));
  EXPECT_THAT(lines[1], HasSubstr(R"("body_base64":"/w==")"));
}

TEST_F(PublishConsume, ADelayIsADelay) {
  EXPECT_EQ(swapmq({"publish", "q", "--delay", "1h"}, {.input = "later"}).code, 0);
  EXPECT_EQ(consume_all().out, "");
  EXPECT_THAT(swapmq({"queue", "stats", "q", "--json"}).out, HasSubstr(R"("delayed":1)"));
}

TEST_F(PublishConsume, LinesThatAreTooLongFailAndTheOthersGo) {
  const Finished published = swapmq({"publish", "q", "--lines", "--max-size", "4"},
                                    {.input = "one\ntoo long\ntwo\nmuch too long\nfive5\n"});
  EXPECT_EQ(published.code, 1);
  EXPECT_THAT(published.err, HasSubstr("line 2: not published: longer than 4"));
  EXPECT_THAT(published.err, HasSubstr("confirmed 2 failed 3 in_doubt 0"));
  EXPECT_EQ(consume_all().out, "one\ntwo\n");
  const Finished whole = swapmq({"publish", "q", "--max-size", "4"}, {.input = "12345"});
  EXPECT_EQ(whole.code, 1);
  EXPECT_THAT(whole.err, HasSubstr("confirmed 0 failed 1 in_doubt 0"));
}

TEST_F(PublishConsume, MaxTakesNoMoreThanItSays) {
  swapmq({"publish", "q", "--lines"}, {.input = numbered_lines(10, 2)});
  EXPECT_EQ(swapmq({"consume", "q", "--max", "3"}).out, "01\n02\n03\n");
  const Finished rest = consume_all({"--json"});
  EXPECT_EQ(lines_of(rest.out).size(), 7u);
  EXPECT_THAT(rest.out, testing::Not(HasSubstr(R"("delivery_count":2)")))
      << "messages that were only read ahead are not counted";
}

TEST_F(PublishConsume, LookingTakesNothing) {
  swapmq({"publish", "q", "--lines"}, {.input = "1\n2\n3\n"});
  const Finished looked = swapmq({"consume", "q", "--release", "--idle-exit", "200ms"});
  EXPECT_EQ(looked.out, "1\n2\n3\n");
  EXPECT_THAT(looked.err, HasSubstr("acked 0 released 3 lost 0"));
  EXPECT_EQ(swapmq({"consume", "q", "--release", "--max", "2"}).out, "1\n2\n");
  const Finished taken = consume_all({"--json"});
  EXPECT_EQ(lines_of(taken.out).size(), 3u);
  EXPECT_THAT(taken.out, testing::Not(HasSubstr(R"("delivery_count":2)")));
}

TEST_F(PublishConsume, ARateIsKept) {
  const auto began = std::chrono::steady_clock::now();
  const Finished published =
      swapmq({"publish", "q", "--lines", "--rate", "40"}, {.input = numbered_lines(21)});
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(published.code, 0);
  EXPECT_GE(took, std::chrono::milliseconds(495)) << "20 intervals of 25 ms";
  EXPECT_THAT(published.err, HasSubstr("confirmed 21 failed 0"));
}

TEST_F(PublishConsume, ASlowPipeDoesNotWaitForAFullBatch) {
  Process publish(folder_, {"publish", "q", "--lines", "--config", config_}, {.in = Stdin::pipe});
  publish.write_input("first\nbegin of second");
  const Finished first = swapmq({"consume", "q", "--max", "1"});
  EXPECT_EQ(first.out, "first\n");
  publish.write_input(", end\nlast");
  EXPECT_EQ(swapmq({"consume", "q", "--max", "1"}).out, "begin of second, end\n");
  publish.close_input();
  const Finished published = publish.wait();
  EXPECT_EQ(published.code, 0);
  EXPECT_THAT(published.err, HasSubstr("confirmed 3 failed 0 in_doubt 0"));
  EXPECT_EQ(consume_all().out, "last\n");
}

TEST_F(PublishConsume, IdleExitWaitsAsLongAsItSays) {
  const auto began = std::chrono::steady_clock::now();
  const Finished consumed = swapmq({"consume", "q", "--idle-exit", "600ms"});
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(consumed.code, 0);
  EXPECT_GE(took, std::chrono::milliseconds(600));
  EXPECT_LT(took, std::chrono::seconds(20));
}

} // namespace
} // namespace swapmq::program_test

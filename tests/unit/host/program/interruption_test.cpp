// SPDX-License-Identifier: MIT
//
// Signals, and outputs that fail: nothing confirmed is lost, nothing unwritten is acked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::HasSubstr;

class Interruption : public WithSqlite {
 protected:
  std::string consume_all() { return swapmq({"consume", "q", "--idle-exit", "300ms"}).out; }
  std::int64_t ready() {
    return number_after(swapmq({"queue", "stats", "q", "--json"}).out, "\"ready\":");
  }
  void publish_lines(const std::string& lines) {
    ASSERT_EQ(swapmq({"publish", "q", "--lines"}, {.input = lines}).code, 0);
  }
};

TEST_F(Interruption, OfAPipePublishesTheLinesThatWereRead) {
  Process publish(folder_, {"publish", "q", "--lines", "--config", config_}, {.in = Stdin::pipe});
  publish.write_input(numbered_lines(1000) + "not yet a line");
  ASSERT_TRUE(eventually([&] { return ready() == 1000; })) << publish.err();
  publish.signal(SIGINT);
  const Finished finished = publish.wait();
  EXPECT_EQ(finished.code, 130);
  EXPECT_THAT(finished.err, HasSubstr("confirmed 1000 failed 0 in_doubt 0, interrupted\n"));
  EXPECT_EQ(consume_all(), numbered_lines(1000));
}

TEST_F(Interruption, InMidPublishConfirmsWhatIsConsumedLater) {
  const std::string lines = numbered_lines(300'000);
  folder_.write("many.txt", lines);
  Process publish(folder_,
                  {"publish", "q", "many.txt", "--lines", "--batch", "16", "--config", config_});
  ASSERT_TRUE(eventually([&] { return ready() > 0; })) << publish.err();
  publish.signal(SIGTERM);
  const Finished finished = publish.wait();
  EXPECT_EQ(finished.code, 130);
  const std::int64_t confirmed = number_after(finished.err, "confirmed ");
  EXPECT_GT(confirmed, 0);
  EXPECT_LT(confirmed, 300'000) << "it was not interrupted";
  EXPECT_THAT(finished.err, HasSubstr("failed 0 in_doubt 0"));
  const std::string expected = lines.substr(0, static_cast<std::size_t>(confirmed) * 9);
  EXPECT_TRUE(consume_all() == expected) << "confirmed and consumed differ";
}

TEST_F(Interruption, WithARateDoesNotDrainTheInput) {
  folder_.write("many.txt", numbered_lines(1000));
  Process publish(folder_,
                  {"publish", "q", "many.txt", "--lines", "--rate", "1", "--config", config_});
  ASSERT_TRUE(eventually([&] { return ready() > 0; })) << publish.err();
  publish.signal(SIGINT);
  const Finished finished = publish.wait();
  EXPECT_EQ(finished.code, 130);
  EXPECT_EQ(static_cast<std::int64_t>(lines_of(consume_all()).size()),
            number_after(finished.err, "confirmed "));
}

TEST_F(Interruption, OfAMessageThatIsStillReadPublishesNothing) {
  Process publish(folder_, {"publish", "q", "--config", config_}, {.in = Stdin::pipe});
  // More than the pipe holds: what we could write, the program has read in part.
  publish.write_input(std::string(1 << 20, 'x'));
  publish.signal(SIGINT);
  const Finished finished = publish.wait();
  EXPECT_EQ(finished.code, 130);
  EXPECT_EQ(consume_all(), "");
}

TEST_F(Interruption, TwiceEndsAtOnce) {
  const std::string trouble = trouble_config(folder_);
  Process publish(folder_, {"publish", "stuck", "--config", trouble}, {.input = "x"});
  ASSERT_TRUE(eventually([&] { return publish.err().find("stuck until") != std::string::npos; }))
      << publish.err();
  publish.signal(SIGINT);
  publish.signal(SIGTERM);
  const auto began = std::chrono::steady_clock::now();
  const Finished finished = publish.wait();
  EXPECT_EQ(finished.code, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  EXPECT_THAT(finished.err, HasSubstr("interrupted twice"));
}

TEST_F(Interruption, OfAConsumerReleasesTheRest) {
  publish_lines(numbered_lines(5000));
  Process consume(folder_, {"consume", "q", "--config", config_}, {.out = Stdout::pipe});
  EXPECT_EQ(consume.read_output(9), "00000001\n");
  consume.signal(SIGINT);
  std::string out = "00000001\n" + consume.read_output(1 << 20);
  const Finished finished = consume.wait();
  EXPECT_EQ(finished.code, 130);
  const std::int64_t acked = number_after(finished.err, "acked ");
  EXPECT_EQ(static_cast<std::int64_t>(out.size()), acked * 9) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("lost 0"));
  EXPECT_EQ(out + consume_all(), numbered_lines(5000));
}

TEST_F(Interruption, OfAnIdleConsumer) {
  Process consume(folder_, {"consume", "q", "--config", config_}, {.out = Stdout::pipe});
  publish_lines("x\n");
  EXPECT_EQ(consume.read_output(2), "x\n");
  consume.signal(SIGTERM);
  EXPECT_EQ(consume.wait().code, 130);
}

TEST_F(Interruption, AConsumerWhoseReaderLeavesAcksNothingThatWasNotTaken) {
  // What is received at once is more than a pipe holds, so that its writing never ends.
  const std::string lines = numbered_lines(2000, 1000);
  publish_lines(lines);
  Process consume(folder_, {"consume", "q", "--config", config_}, {.out = Stdout::pipe});
  EXPECT_EQ(consume.read_output(1001), lines.substr(0, 1001));
  consume.close_output();
  const Finished finished = consume.wait();
  EXPECT_EQ(finished.code, 0) << "as with head: no failure";
  EXPECT_THAT(finished.err, HasSubstr("the reader of standard output has left"));
  EXPECT_THAT(finished.err, HasSubstr("acked 0 "));
  EXPECT_TRUE(consume_all() == lines) << "what was not acked must come back, in order";
}

TEST_F(Interruption, AnIdleConsumerNoticesThatItsReaderLeft) {
  Process consume(folder_, {"consume", "q", "--config", config_}, {.out = Stdout::pipe});
  publish_lines("x\n");
  EXPECT_EQ(consume.read_output(2), "x\n");
  consume.close_output();
  EXPECT_EQ(consume.wait().code, 0);
}

TEST_F(Interruption, AFullDiskAcksNothing) {
  publish_lines("1\n2\n3\n");
  const Finished full = swapmq({"consume", "q", "--max", "3"}, {.out = Stdout::full});
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err, HasSubstr("No space left on device; what was not written stays queued"));
  EXPECT_THAT(full.err, HasSubstr("acked 0 released 3 lost 0"));
  EXPECT_EQ(consume_all(), "1\n2\n3\n");
}

TEST_F(Interruption, AClosedOutputAcksNothing) {
  publish_lines("1\n2\n");
  const Finished closed = swapmq({"consume", "q", "--max", "2"}, {.out = Stdout::closed});
  EXPECT_EQ(closed.code, 1) << closed.err;
  EXPECT_EQ(consume_all(), "1\n2\n");
}

} // namespace
} // namespace swapmq::program_test

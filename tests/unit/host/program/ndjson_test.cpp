// SPDX-License-Identifier: MIT
//
// Messages as JSON objects, one a line: in, out, and round.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Ndjson : public WithSqlite {
 protected:
  Finished publish(const std::string& input, Args more = {}, const std::string& queue = "q") {
    more.insert(more.begin(), {"publish", queue, "--ndjson"});
    return swapmq(std::move(more), {.input = input});
  }
  std::string consumed(const std::string& queue = "q") {
    const Finished all = swapmq({"consume", queue, "--idle-exit", "200ms", "--ndjson"});
    EXPECT_EQ(all.code, 0) << all.err;
    EXPECT_THAT(all.err, HasSubstr("consumed ")) << "the summary is text";
    return all.out;
  }
};

TEST_F(Ndjson, ALineSaysAllOfAMessage) {
  const Finished published = publish(
      R"({"id": "m1", "body_base64": "//4=", "headers": {"colour": "red"}, "priority": 7,)"
      R"( "ordering_key": "k", "correlation_id": "c", "reply_to": "r", "content_type": "t"})"
      "\n\n");
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_THAT(consumed(),
              AllOf(HasSubstr(R"({"id":"m1","queue":"q","body_base64":"//4=",)"),
                    HasSubstr(R"("headers":[{"name":"colour","value":"red"}])"),
                    HasSubstr(R"("priority":7,"ordering_key":"k","correlation_id":"c",)"),
                    HasSubstr(R"("reply_to":"r","content_type":"t"})")));
}

TEST_F(Ndjson, WhatIsConsumedCanBePublished) {
  std::string input;
  for (int i = 0; i < 1000; ++i) {
    input += "{\"body\":\"" + std::to_string(i) + "\",\"headers\":[{\"name\":\"n\",\"value\":\"" +
             std::string(static_cast<std::size_t>(i % 50), 'v') + "\"}]}\n";
  }
  EXPECT_EQ(publish(input).code, 0);
  const std::string first = consumed();
  EXPECT_EQ(lines_of(first).size(), 1000u);
  EXPECT_EQ(publish(first).code, 0);
  const std::regex time("\"timestamp_ms\":[0-9]+");
  EXPECT_TRUE(std::regex_replace(consumed(), time, "") == std::regex_replace(first, time, ""))
      << "all but the time of publishing went round";
}

TEST_F(Ndjson, NewIdsInPlaceOfThoseOfTheLines) {
  EXPECT_EQ(publish("{\"id\": \"old\", \"body\": \"\"}\n", {"--new-ids"}).code, 0);
  EXPECT_THAT(consumed(), Not(HasSubstr("old")));
}

TEST_F(Ndjson, ABadLineIsToldOfAndTheRestGoesOn) {
  const Finished published = publish(
      "{\"body\": \"a\"}\n"
      "{\"body\": \"b\"\n"
      "{\"body\": \"c\", \"prio\": 1}\n"
      "{\"body\": \"d\"}");
  EXPECT_EQ(published.code, 1);
  EXPECT_THAT(published.err,
              AllOf(HasSubstr("swapmq: line 2: column 13: not JSON: "),
                    HasSubstr("swapmq: line 3: unknown key \"prio\"; did you mean \"priority\"?\n"),
                    HasSubstr("confirmed 2 failed 2 in_doubt 0")));
  EXPECT_THAT(consumed(), AllOf(HasSubstr(R"("body":"a")"), HasSubstr(R"("body":"d")")));
}

TEST_F(Ndjson, ManyBadLinesAreCountedAndNotAllPrinted) {
  std::string input;
  for (int i = 0; i < 5000; ++i) input += "nonsense\n";
  const Finished published = publish(input + "{\"body\": \"good\"}\n", {"--json"});
  EXPECT_EQ(published.code, 1);
  EXPECT_EQ(lines_of(published.err).size(), 101u);
  EXPECT_THAT(published.err, HasSubstr("further bad lines are counted as failed"));
  EXPECT_THAT(published.out, HasSubstr(R"("confirmed":1,"failed":5000,"in_doubt":0)"));
}

TEST_F(Ndjson, TheCommandLineSaysWhatALineDoesNot) {
  EXPECT_EQ(publish("{\"body\": \"a\"}\n{\"body\": \"b\", \"content_type\": \"text/b\", "
                    "\"headers\": {\"x\": \"2\"}}\n",
                    {"--content-type", "text/a", "--header", "x=1"})
                .code,
            0);
  const auto lines = lines_of(consumed());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr(R"("content_type":"text/a")"));
  EXPECT_THAT(lines[1], AllOf(HasSubstr(R"("content_type":"text/b")"),
                              HasSubstr(R"([{"name":"x","value":"1"},{"name":"x","value":"2"}])")));
}

TEST_F(Ndjson, ADelayOfOneLine) {
  EXPECT_EQ(publish("{\"body\": \"later\", \"delay\": \"1h\"}\n{\"body\": \"now\"}\n").code, 0);
  EXPECT_THAT(consumed(), AllOf(HasSubstr("now"), Not(HasSubstr("later"))));
  EXPECT_THAT(swapmq({"queue", "stats", "q", "--json"}).out, HasSubstr("\"delayed\":1"));
}

TEST_F(Ndjson, ALineThatIsTooLongIsOneOfThose) {
  const Finished published = publish(
      "{\"body\": \"" + std::string(5000, 'x') + "\"}\n{\"body\": \"a\"}\n", {"--max-size", "1K"});
  EXPECT_EQ(published.code, 1);
  EXPECT_THAT(published.err,
              ContainsRegex("line 1: not published: longer than 1 KiB; --max-size allows more"));
  EXPECT_EQ(lines_of(consumed()).size(), 1u);
}

// ---- looking ------------------------------------------------------------------------------------

class PeekCommand : public WithSqlite {};

TEST_F(PeekCommand, ShowsAndLeavesThem) {
  swapmq({"publish", "q", "--lines"}, {.input = numbered_lines(20, 2)});
  const Finished shown = swapmq({"queue", "peek", "q", "--max", "3"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, "01\n02\n03\n");
  EXPECT_EQ(lines_of(swapmq({"queue", "peek", "q"}).out).size(), 10u);
  EXPECT_THAT(swapmq({"queue", "peek", "q", "--ndjson", "-n", "1"}).out,
              HasSubstr(R"("body":"01","headers":[])"));
  const std::string rest = swapmq({"consume", "q", "--max", "20", "--json"}).out;
  EXPECT_THAT(rest, Not(HasSubstr(R"("redelivered":true)")));
  EXPECT_EQ(lines_of(rest).size(), 20u);
  EXPECT_EQ(swapmq({"queue", "peek", "q"}).out, "");
}

TEST_F(PeekCommand, OfNoQueue) {
  const Finished shown = swapmq({"queue", "peek", "nowhere"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_EQ(shown.err, "swapmq: there is no queue \"nowhere\"\n");
}

TEST_F(PeekCommand, WhereTheyHaveToBeTakenTheyAreGivenBack) {
  const std::string config = trouble_config(folder_);
  const auto on_trouble = [&](Args args) {
    args.insert(args.end(), {"--config", config});
    return run(folder_, args);
  };
  const Finished shown = on_trouble({"queue", "peek", "withheld", "--timeout", "2s"});
  EXPECT_THAT(shown.err, HasSubstr("cannot show messages without taking them"));
}

} // namespace
} // namespace swapmq::program_test

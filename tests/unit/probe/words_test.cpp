// SPDX-License-Identifier: MIT
//
// What a process and its probe say to each other.
#include "probe/words.h"

#include <gtest/gtest.h>

namespace {

using namespace swapmq::probe;
using swapmq::Errc;
using swapmq::Error;

Request some_request() {
  Request request;
  request.name = "sqlite";
  request.path = "/usr/lib/sqlite.so";
  request.open = true;
  request.options = "{\"path\":\"a:b\\n\"}\n12:";
  request.instance = "here-1";
  request.deadline_ns = 1'234'567'890'123;
  request.parent = 77;
  return request;
}

TEST(ProbeWords, ARequestComesAsItWasSent) {
  const Request sent = some_request();
  const auto got = request_from(to_text(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->name, sent.name);
  EXPECT_EQ(got->path, sent.path);
  EXPECT_EQ(got->open, sent.open);
  EXPECT_EQ(got->options, sent.options);
  EXPECT_EQ(got->instance, sent.instance);
  EXPECT_EQ(got->deadline_ns, sent.deadline_ns);
  EXPECT_EQ(got->parent, sent.parent);
}

TEST(ProbeWords, ARequestOfAnotherBuildOrCutShortIsNone) {
  const std::string text = to_text(some_request());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(request_from(text.substr(0, size))) << size;
  }
  std::string other = text;
  other.replace(other.find("probe/1"), 7, "probe/2");
  EXPECT_FALSE(request_from(other));
  EXPECT_FALSE(request_from("99999999999999999999:x"));
  EXPECT_FALSE(request_from(":"));
}

TEST(ProbeWords, AReportTellsTheLastStepAndTheEnd) {
  EXPECT_EQ(report_from("").step, "");
  const Report hung = report_from(begun("load") + begun("open"));
  EXPECT_EQ(hung.step, "open");
  EXPECT_FALSE(hung.ended);
  const Report refused =
      report_from(begun("open") + ended(Error(Errc::unavailable, "no\nanswer", true)));
  EXPECT_TRUE(refused.ended);
  EXPECT_EQ(refused.error.code(), Errc::unavailable);
  EXPECT_EQ(refused.error.message(), "no\nanswer");
  EXPECT_TRUE(refused.error.retryable());
  EXPECT_FALSE(report_from(ended({})).error);
  EXPECT_TRUE(report_from(other_build()).other_build);
}

TEST(ProbeWords, AReportThatIsCutOrForgedIsAnError) {
  const std::string end = ended(Error(Errc::timeout, "late"));
  for (std::size_t size = 4; size + 1 < end.size(); ++size) {
    const Report report = report_from(end.substr(0, size));
    EXPECT_TRUE(report.ended) << size;
    EXPECT_EQ(report.error.code(), Errc::internal) << size;
  }
  EXPECT_FALSE(report_from("end").ended);
  EXPECT_FALSE(report_from("\n\n\nstep").ended);
}

} // namespace

// SPDX-License-Identifier: MIT
//
// swapmq queue redrive: dead letters go back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class RedriveCommand : public WithSqlite {
 protected:
  /// Lines, each a message that was dead-lettered from there.
  void dead_letters(const std::string& lines, const std::string& from) {
    swapmq({"publish", "tasks.dead", "--lines", "--header", "swapmq-dead-letter-queue=" + from,
            "--header", "swapmq-dead-letter-reason=no", "--header", "colour=red"},
           {.input = lines});
  }
  std::string sizes() { return swapmq({"queue", "list", "--sizes", "--json"}).out; }
};

TEST_F(RedriveCommand, EachGoesBackToWhereItCameFrom) {
  dead_letters("1\n2\n", "tasks");
  dead_letters("3\n", "mail");
  const Finished back = swapmq({"queue", "redrive", "tasks.dead"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_THAT(back.err, ContainsRegex("redriven 3 from tasks.dead to mail, tasks in [0-9.]+ s: "
                                      "confirmed 3 failed 0 in_doubt 0\n"));
  EXPECT_THAT(sizes(), HasSubstr(R"({"queue":"tasks.dead","exists":true,"ready":0,)"));
  const std::string tasks = swapmq({"consume", "tasks", "--idle-exit", "200ms", "--json"}).out;
  EXPECT_EQ(lines_of(tasks).size(), 2U);
  EXPECT_THAT(tasks, HasSubstr(R"("headers":[{"name":"colour","value":"red"}])"))
      << "as it was before";
  EXPECT_THAT(tasks, HasSubstr(R"("delivery_count":1)"));
  EXPECT_EQ(swapmq({"consume", "mail", "--max", "1"}).out, "3\n");
}

TEST_F(RedriveCommand, ToAnotherQueueAndSoManyAtMost) {
  dead_letters("1\n2\n3\n", "tasks");
  const Finished back =
      swapmq({"queue", "redrive", "tasks.dead", "--to", "again", "-n", "2", "--json"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_THAT(back.out, HasSubstr(R"("to":{"again":2},"confirmed":2,"failed":0,"in_doubt":0)"));
  EXPECT_EQ(swapmq({"consume", "again", "--max", "2"}).out, "1\n2\n");
  EXPECT_EQ(swapmq({"consume", "tasks.dead", "--max", "1"}).out, "3\n");
}

TEST_F(RedriveCommand, WhatDoesNotSayWhereItCameFromStays) {
  swapmq({"publish", "tasks.dead", "--lines"}, {.input = "stranger\n"});
  dead_letters("circle\n", "tasks.dead");
  dead_letters("good\n", "tasks");
  const Finished back = swapmq({"queue", "redrive", "tasks.dead"});
  EXPECT_EQ(back.code, 1);
  EXPECT_THAT(back.err, HasSubstr("does not say where it came from; --to names a queue"));
  EXPECT_THAT(back.err, HasSubstr("would come back to the queue that it is in"));
  EXPECT_THAT(back.err, HasSubstr("confirmed 1 failed 2 in_doubt 0"));
  EXPECT_EQ(swapmq({"consume", "tasks.dead", "--max", "2"}).out, "stranger\ncircle\n");
}

TEST_F(RedriveCommand, WrongCallsAreSaid) {
  EXPECT_EQ(swapmq({"queue", "redrive"}).code, 2);
  EXPECT_EQ(swapmq({"queue", "redrive", "a", "--to", "a"}).code, 2);
  const Finished none = swapmq({"queue", "redrive", "nosuch"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("there is no queue \"nosuch\""));
}

} // namespace
} // namespace swapmq::program_test

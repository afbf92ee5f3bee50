// SPDX-License-Identifier: MIT
//
// Groups of a queue, as an operator meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class Groups : public testing::Test {
 protected:
  Finished swapmq(Args args, const How& how = {}) {
    args.insert(args.end(), {"--config", config_});
    return run(folder_, args, how);
  }

  Folder folder_;
  const std::string config_ = folder_.write("groups.json", R"({
    "message_queue": { "type": "sqlite", "sqlite": { "path": "queues.db" } },
    "queues": { "orders": { "groups": ["billing", "mail"] } } })");
};

TEST_F(Groups, EachGetsAllThatIsPublished) {
  const Finished published = swapmq({"publish", "orders", "--lines"}, {.input = "a\nb\nc\n"});
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_THAT(published.err, HasSubstr("published 3 to orders (sqlite)"));
  for (const char* group : {"billing", "mail"}) {
    const Finished consumed =
        swapmq({"consume", "orders", "--group", group, "--idle-exit", "200ms"});
    EXPECT_EQ(consumed.code, 0) << consumed.err;
    EXPECT_EQ(consumed.out, "a\nb\nc\n");
    EXPECT_THAT(consumed.err, HasSubstr(std::string("consumed 3 from orders@") + group));
  }
}

TEST_F(Groups, OneThatIsMistypedIsSaid) {
  const Finished consumed = swapmq({"consume", "orders", "-g", "biling"});
  EXPECT_EQ(consumed.code, 2) << consumed.err;
  EXPECT_THAT(consumed.err, HasSubstr(R"(has the groups "billing", "mail", not "biling")"));
}

TEST_F(Groups, TheQueueIsManagedWithThem) {
  ASSERT_EQ(swapmq({"queue", "create", "orders"}).code, 0);
  EXPECT_EQ(swapmq({"queue", "list"}).out, "orders@billing\norders@mail\n");
  ASSERT_EQ(swapmq({"publish", "orders"}, {.input = "x"}).code, 0);
  const Finished stats = swapmq({"queue", "stats", "orders"});
  EXPECT_EQ(stats.code, 0) << stats.err;
  EXPECT_THAT(stats.out, MatchesRegex("QUEUE +READY +UNACKED +DELAYED\n"
                                      "orders@billing +1 +0 +0\norders@mail +1 +0 +0\n"));
  EXPECT_EQ(swapmq({"queue", "purge", "orders", "--yes"}).out,
            "removed 0 from orders\nremoved 1 from orders@billing\nremoved 1 from orders@mail\n");
  ASSERT_EQ(swapmq({"queue", "delete", "orders", "--yes"}).code, 0);
  EXPECT_EQ(swapmq({"queue", "list"}).out, "");
}

TEST_F(Groups, ADeadLetterComesBackToItsGroupAlone) {
  const Finished published =
      swapmq({"publish", "orders@mail.dead", "-H", "swapmq-dead-letter-queue=orders@mail"},
             {.input = "x"});
  ASSERT_EQ(published.code, 0) << published.err;
  const Finished redriven = swapmq({"queue", "redrive", "orders@mail.dead"});
  EXPECT_EQ(redriven.code, 0) << redriven.err;
  const Finished stats = swapmq({"queue", "stats", "--json"});
  EXPECT_THAT(stats.out, HasSubstr(R"({"queue":"orders@mail","exists":true,"ready":1)"));
  EXPECT_THAT(stats.out, Not(HasSubstr("billing")));
}

TEST_F(Groups, AreExplained) {
  EXPECT_THAT(run(folder_, {"config", "explain", "queues.NAME.groups"}).out,
              HasSubstr("NAME@GROUP"));
}

} // namespace
} // namespace swapmq::program_test

// SPDX-License-Identifier: MIT
//
// Everything of a session but publish and exchange, against a plugin that lies.
#include "plugin/session.h"

#include "support.h"

namespace swapmq::plugin {
namespace {

std::string breach_of(const Error& error) {
  EXPECT_EQ(error.code(), Errc::internal);
  EXPECT_THAT(error.message(), HasSubstr("lying: "));
  return error.message();
}

TEST(BackendOpen, WhatThePluginGivesMustBeThere) {
  const auto sink = std::make_shared<RecordingSink>();
  EXPECT_THAT(breach_of(open_liar("null_backend", sink).error()), HasSubstr("no backend"));
  const auto backend = open_liar("null_session", sink).value();
  EXPECT_THAT(breach_of(backend->open_session(SWAPMQ_ROLE_PUBLISH, soon()).error()),
              HasSubstr("no session"));
}

TEST(BackendOpen, ThePluginsReasonIsPassedOn) {
  const auto sink = std::make_shared<RecordingSink>();
  const auto opened = open_liar("open_fails", sink);
  EXPECT_EQ(opened.error().code(), Errc::access_denied);
  EXPECT_EQ(opened.error().message(), "lying: open: the password is wrong");
}

TEST(BackendOpen, WhatOptionsMakeOfTheCapabilitiesIsCheckedToo) {
  const auto sink = std::make_shared<RecordingSink>();
  EXPECT_THAT(breach_of(open_liar("describe_grade", sink).error()),
              HasSubstr("\"ttl\" has the unknown grade 5"));
  EXPECT_EQ(sink->lines_with("closed"), 1U);
  EXPECT_THAT(breach_of(open_liar("describe_delay", sink).error()), HasSubstr("max_delay_ms"));
  const auto backend = open_liar("describe_size", sink).value();
  EXPECT_EQ(backend->capabilities().struct_size, sizeof(swapmq_capabilities));
  EXPECT_EQ(backend->capabilities().ttl, SWAPMQ_NATIVE);
}

TEST(BackendOpen, TheInstanceIsAName) {
  const auto sink = std::make_shared<RecordingSink>();
  EXPECT_TRUE(open_liar("", sink, "host-1.example_x"));
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a/b"),
                                 std::string(256, 'a'), std::string("a\0", 2)}) {
    EXPECT_EQ(open_liar("", sink, bad).error().code(), Errc::invalid_argument) << bad;
  }
  EXPECT_FALSE(Backend::open(nullptr, sink, {"{}", "a", soon()}));
}

TEST(HostServices, WildCallsAreTamed) {
  const auto sink = std::make_shared<RecordingSink>();
  const auto backend = open_liar("wild_host_calls", sink).value();
  const auto lines = sink->lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], std::string(4096, 'x'));
  EXPECT_EQ(lines[1], "two lines ? and  NUL" + std::string(1, lines[1].back()));
  EXPECT_THAT(sink->levels(), ElementsAre(SWAPMQ_LOG_ERROR, SWAPMQ_LOG_TRACE));
  using Count = std::pair<std::string, std::uint64_t>;
  EXPECT_THAT(sink->counts(),
              ElementsAre(Count("invalid_counter_names", 1), Count("invalid_counter_names", 1),
                          Count("reconnects", 3)));
}

TEST(SessionLife, ClosesInOrder) {
  Liar liar("");
  liar.session().unsubscribe(liar.subscription());
  liar.close();
  EXPECT_THAT(liar.sink().lines(),
              ElementsAre("queue opened", "unsubscribed", "session closed", "closed"));
}

TEST(SessionLife, ASessionKeepsItsBackend) {
  const auto sink = std::make_shared<RecordingSink>();
  auto backend = open_liar("", sink).value();
  auto session = backend->open_session(SWAPMQ_ROLE_ADMIN, soon()).value();
  backend.reset();
  EXPECT_FALSE(session->ping(soon()));
  EXPECT_THAT(sink->lines(), IsEmpty());
  session.reset();
  EXPECT_THAT(sink->lines(), ElementsAre("session closed", "closed"));
}

TEST(SessionQueue, TheSameNameIsOpenedOnce) {
  Liar liar("");
  EXPECT_EQ(liar.queue(), liar.queue());
  EXPECT_EQ(liar.sink().lines_with("queue opened"), 1U);
}

TEST(SessionQueue, NullQueue) {
  Liar liar("null_queue");
  const swapmq_queue_spec spec{sizeof(swapmq_queue_spec), 0, 0};
  EXPECT_THAT(breach_of(liar.session().queue("a", spec).error()), HasSubstr("no queue"));
  EXPECT_EQ(liar.sink().lines_with("broke the ABI"), 1U);
}

TEST(SessionQueue, NullSubscription) {
  Liar liar("null_subscription");
  const auto subscribed =
      liar.session().subscribe(liar.queue(), 1, std::chrono::milliseconds(0), soon());
  EXPECT_THAT(breach_of(subscribed.error()), HasSubstr("no subscription"));
}

TEST(SessionStats, AreChecked) {
  Liar good("stats_size");
  const auto stats = good.session().queue_stats(good.queue(), soon()).value();
  EXPECT_EQ(stats.struct_size, sizeof(swapmq_queue_stats));
  EXPECT_EQ(stats.ready, 7U);
  EXPECT_EQ(good.session().purge_queue(good.queue(), soon()).value(), 3U);
  good.close();
  for (const char* lie : {"stats_precision", "stats_negative", "stats_exists", "stats_ghost"}) {
    Liar liar(lie);
    breach_of(liar.session().queue_stats(liar.queue(), soon()).error());
  }
}

TEST(SessionList, GivesEveryName) {
  Liar liar("");
  std::vector<std::string> names;
  const auto keep = [&](std::string_view name) { names.emplace_back(name); };
  EXPECT_FALSE(liar.session().list_queues(keep, soon()));
  EXPECT_THAT(names, ElementsAre("a", "b"));
  EXPECT_THAT(liar.backend().plugin().description().extensions,
              ElementsAre(SWAPMQ_EXTENSION_LIST_QUEUES, SWAPMQ_EXTENSION_CLAIM_DELAYED,
                          SWAPMQ_EXTENSION_PEEK));
}

TEST(SessionList, TablesAndNamesAreChecked) {
  const auto ignore = [](std::string_view) {};
  for (const char* lie :
       {"list_small", "list_hollow", "list_misaligned", "list_null_name", "list_empty_name"}) {
    Liar liar(lie);
    breach_of(liar.session().list_queues(ignore, soon()));
  }
  Liar without("list_absent");
  EXPECT_EQ(without.session().list_queues(ignore, soon()).code(), Errc::not_supported);
}

TEST(SessionList, WhatACallerThrowsGoesAroundThePlugin) {
  Liar liar("");
  int calls = 0;
  const auto throwing = [&](std::string_view) {
    ++calls;
    throw std::runtime_error("mine");
  };
  EXPECT_THROW((void)liar.session().list_queues(throwing, soon()), std::runtime_error);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(liar.sink().lines_with("listed"), 1U) << "the plugin's function ran to its end";
}

TEST(SessionTime, LastUsedMovesWithEachCall) {
  Liar liar("");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(liar.session().service(soon()));
  EXPECT_GE(liar.session().last_used(), before);
}

} // namespace
} // namespace swapmq::plugin

// SPDX-License-Identifier: MIT
//
// Bodies that are JSON.
#include "swapmq/json.hpp"

#include <future>

#include "support.h"

namespace {

using namespace test;
namespace json = swapmq::json;

TEST(Json, GoesAndComes) {
  auto mq = open_memory();
  rapidjson::Document task;
  task.Parse(R"({"file": "\u00e4.png", "sizes": [1, 2]})");
  ASSERT_TRUE(json::publish(mq, "tasks", task, {.body = {}, .id = "one"}));
  const auto shown = mq.peek("tasks", 1).value();
  EXPECT_EQ(shown.at(0).id(), "one");
  EXPECT_EQ(shown.at(0).body(), "{\"file\":\"\xc3\xa4.png\",\"sizes\":[1,2]}");
  EXPECT_EQ(shown.at(0).content_type(), "application/json");
  std::promise<std::string> file;
  auto consumer = mq.consume("tasks", {},
                             json::handler([&](const rapidjson::Value& body, const auto& delivery) {
                               EXPECT_EQ(delivery.id(), "one");
                               file.set_value(body["file"].GetString());
                               return swapmq::ack();
                             }));
  EXPECT_EQ(file.get_future().get(), "\xc3\xa4.png");
  ASSERT_TRUE(
      json::publish(mq, "others", task, {.body = {}, .content_type = "application/ld+json"}));
  EXPECT_EQ(mq.peek("others", 1).value().at(0).content_type(), "application/ld+json");
}

TEST(Json, WhatIsNoneIsDeadLetteredAndSaysWhere) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "{\"file\": }"));
  auto consumer = mq.consume("tasks", {}, json::handler([](const rapidjson::Value&, const auto&) {
                               ADD_FAILURE() << "it was called";
                               return swapmq::ack();
                             }));
  std::vector<swapmq::Delivery> dead;
  ASSERT_TRUE(eventually([&] {
    dead = mq.peek("tasks.dead", 1).value();
    return !dead.empty();
  }));
  EXPECT_EQ(dead[0].header("swapmq-dead-letter-reason"),
            "the body is not JSON: byte 10: Invalid value.");
}

TEST(Json, ParsesWhateverComes) {
  EXPECT_TRUE(json::parse("7"));
  EXPECT_FALSE(json::parse(""));
  EXPECT_FALSE(json::parse("\"\xff\""));
  EXPECT_FALSE(json::parse(std::string(1'000'000, '[')));
  EXPECT_EQ(json::parse("[1,").error().code(), swapmq::Errc::invalid_argument);
  EXPECT_EQ(json::text(json::parse(" [1, null ] ").value()), "[1,null]");
}

} // namespace

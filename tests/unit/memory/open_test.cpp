// SPDX-License-Identifier: MIT
//
// Opening: what the plugin says of itself, its options, names that are shared.
#include <rapidjson/document.h>

#include "options.hpp"
#include "support.hpp"

namespace swapmq::memory::test {
namespace {

std::string refusal(const std::string& options) {
  try {
    const Backend opened(options);
  } catch (const backend::Failure& failure) {
    EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
    return failure.what();
  }
  ADD_FAILURE() << "opened with " << options;
  return {};
}

TEST(Open, DeclaresWhatItIs) {
  const swapmq_plugin_info& info = *vtable().info;
  EXPECT_STREQ(info.name, "memory");
  EXPECT_EQ(info.capabilities->durability, SWAPMQ_DURABILITY_NONE);
  EXPECT_EQ(info.capabilities->sharing, SWAPMQ_SHARING_PROCESS);
  EXPECT_NE(std::string(info.description).find("forgotten"), std::string::npos);
  rapidjson::Document schema;
  schema.Parse(info.options_schema);
  ASSERT_FALSE(schema.HasParseError());
  const auto& properties = schema["properties"];
  EXPECT_EQ(properties["max_messages"]["default"].GetUint64(), kDefaultMaxMessages);
  EXPECT_EQ(properties["max_bytes"]["default"].GetUint64(), kDefaultMaxBytes);
  EXPECT_EQ(properties["max_bytes"]["minimum"].GetUint64(), kLeastMaxBytes);
  EXPECT_FALSE(schema["additionalProperties"].GetBool());
}

TEST(Open, RefusesAnotherMajorVersion) {
  Error error;
  EXPECT_EQ(swapmq_backend_entry(SWAPMQ_ABI_MAKE(7, 0), &error), nullptr);
  EXPECT_EQ(error.status, SWAPMQ_NOT_SUPPORTED);
}

TEST(Open, DescribesTheBodyLimitOfItsOptions) {
  const Backend small = Backend::own(R"(,"max_bytes":65536)");
  swapmq_capabilities capabilities = *vtable().info->capabilities;
  swapmq_limits limits = *vtable().info->limits;
  vtable().describe(small.get(), &capabilities, &limits);
  EXPECT_EQ(limits.max_body_bytes, 65536U - 4096U);
  EXPECT_EQ(limits.max_queue_name_bytes, 255U);
}

TEST(Options, HaveDefaultsAndAreRead) {
  EXPECT_EQ(read_options("").name, "default");
  EXPECT_EQ(read_options("{}").max_bytes, std::nullopt);
  const Options options = read_options(R"({"name":"n","max_messages":7,"max_bytes":65536})");
  EXPECT_EQ(options.name, "n");
  EXPECT_EQ(options.max_messages, 7U);
  EXPECT_EQ(options.max_bytes, 65536U);
}

TEST(Options, RefuseWhatTheyCannotMean) {
  EXPECT_NE(refusal("{").find("not JSON at byte 1"), std::string::npos);
  EXPECT_NE(refusal("[]").find("object"), std::string::npos);
  EXPECT_NE(refusal(R"({"nmae":"x"})").find("\"nmae\""), std::string::npos);
  EXPECT_NE(refusal(R"({"name":7})").find("\"name\""), std::string::npos);
  EXPECT_NE(refusal(R"({"name":""})").find("\"name\""), std::string::npos);
  for (const char* value : {"0", "-1", "1.5", "\"9\"", "1e3", "99999999999999999999", "null"}) {
    EXPECT_NE(refusal(std::string(R"({"max_messages":)") + value + "}").find("max_messages"),
              std::string::npos);
  }
  EXPECT_NE(refusal(R"({"max_bytes":65535})").find("65536"), std::string::npos);
  refusal("{\"name\":\"\xff\"}");
  refusal(std::string(100000, '['));
}

TEST(SharedName, IsOneStore) {
  const std::string options = R"({"name":")" + unique_name() + R"("})";
  const Backend one(options);
  const Backend other(options);
  Session publisher(one, SWAPMQ_ROLE_PUBLISH);
  Session consumer(other);
  publisher.put(publisher.queue("q"), {"a"});
  EXPECT_EQ(consumer.drain(consumer.subscribe(consumer.queue("q")), 1),
            std::vector<std::string>{"a"});
}

TEST(SharedName, OthersAreApart) {
  const Backend one = Backend::own();
  const Backend other = Backend::own();
  Session publisher(one);
  Session stranger(other);
  publisher.put(publisher.queue("q"), {"a"});
  EXPECT_EQ(stranger.stats(stranger.queue("q")).exists, 0);
}

TEST(SharedName, IsForgottenWhenTheLastBackendCloses) {
  const std::string options = R"({"name":")" + unique_name() + R"("})";
  Backend one(options);
  {
    const Backend other(options);
    Session session(other);
    session.put(session.queue("q"), {"a"});
  }
  {
    Session session(one);
    EXPECT_EQ(session.stats(session.queue("q")).ready, 1U);
  }
  one.close();
  const Backend again(options);
  Session session(again);
  EXPECT_EQ(session.stats(session.queue("q")).exists, 0);
}

TEST(SharedName, RefusesOtherLimitsButSharesThoseLeftOut) {
  const std::string name = unique_name();
  const Backend one(R"({"name":")" + name + R"(","max_messages":5})");
  const std::string why = refusal(R"({"name":")" + name + R"(","max_messages":6})");
  EXPECT_NE(why.find("max_messages 5, not 6"), std::string::npos) << why;
  EXPECT_NE(refusal(R"({"name":")" + name + R"(","max_bytes":65536})").find("max_bytes"),
            std::string::npos);
  const Backend sharing(R"({"name":")" + name + R"("})");
  Session session(sharing);
  const auto results =
      session.publish(session.queue("q"), std::vector<Draft>(6, draft("same id, no matter")));
  EXPECT_EQ(results[4].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(results[5].outcome, SWAPMQ_PUBLISH_FAILED);
}

} // namespace
} // namespace swapmq::memory::test

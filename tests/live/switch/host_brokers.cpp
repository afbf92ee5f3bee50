// SPDX-License-Identifier: MIT
//
// switch_host_brokers: the built program as a host, between brokers that run, that are down, and
// that do not let it in. Takes the servers' options, as JSON, from SWITCH_REDIS and
// SWITCH_RABBITMQ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <stdexcept>

#include "host_support.h"

namespace swapmq::program_test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string options_of(const std::string& broker) {
  const char* const name = broker == "rabbitmq" ? "SWITCH_RABBITMQ" : "SWITCH_REDIS";
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

/// The same broker, asked by somebody whom it does not know.
std::string with_wrong_credentials(const std::string& options) {
  const std::regex login(R"re("(username|password)":"[^"]*",?)re");
  std::string others = std::regex_replace(options, login, "");
  return others.insert(1, R"("username":"nobody","password":"s3cret",)");
}

std::string nobody_listens(const std::string& broker) {
  const std::string scheme = broker == "rabbitmq" ? "amqp" : "redis";
  return R"({"url": ")" + scheme + R"(://127.0.0.1:1/"})";
}

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += std::to_string(100'000 + i) + "\n";
  return text;
}

/// A publisher and a consumer, each a host with a config and a state_dir of its own.
class HostBrokers : public testing::TestWithParam<std::string> {
 protected:
  /// That host's config from now on, renamed over the old one.
  void configure(const std::string& host, const std::string& type,
                 const std::string& redis = options_of("redis_stream"),
                 const std::string& rabbitmq = options_of("rabbitmq")) const {
    folder_.write(host + ".new", R"({"message_queue": {"type": ")" + type +
                                     R"(", "sqlite": {"path": "queues.db"},
      "redis_stream": )" + redis + R"(, "rabbitmq": )" +
                                     rabbitmq + R"(, "connection_timeout_seconds": 5},
      "switch": {"allow_capability_loss": true}, "state_dir": ")" +
                                     host + R"(-state"})");
    fs::rename(folder_.path() + "/" + host + ".new", folder_.path() + "/" + host + ".json");
  }
  [[nodiscard]] Finished ask(const std::string& host, Args args) const {
    args.insert(args.end(), {"--config", host + ".json"});
    return run(folder_, args);
  }
  [[nodiscard]] bool comes_to(const std::string& host, const std::string& text) const {
    return eventually([&] {
      return ask(host, {"status", "--json"}).out.find(text) != std::string::npos;
    });
  }

  Folder folder_;
};

class HostBetweenBrokers : public HostBrokers {};

/// There and back, the consumer always later than the publisher.
TEST_F(HostBetweenBrokers, PublisherAndConsumerSwitchThereAndBack) {
  configure("publish", "redis_stream");
  configure("consume", "redis_stream");
  HostProcess publisher(folder_, {"publish", "q", "--lines", "--watch", "--config", "publish.json"},
                        {.in = Stdin::pipe});
  HostProcess consumer(folder_, {"consume", "q", "--watch", "--config", "consume.json"});
  int sent = 0;
  const auto send = [&] {
    publisher.write_input(lines(sent, sent + 4'000));
    sent += 4'000;
  };
  for (const char* type : {"rabbitmq", "redis_stream", "rabbitmq"}) {
    send();
    configure("publish", type);
    send();
    EXPECT_TRUE(comes_to("publish", active(type))) << publisher.err();
    send();
    configure("consume", type);
    EXPECT_TRUE(comes_to("consume", active(type))) << consumer.err();
  }
  send();
  publisher.close_input();
  const Finished published = publisher.wait();
  EXPECT_EQ(published.code, 0) << published.err;
  EXPECT_THAT(published.err, HasSubstr("confirmed 40000 failed 0 in_doubt 0"));
  const Finished drained = ask("consume", {"status", "--wait"});
  EXPECT_EQ(drained.code, 0) << drained.err;
  std::vector<std::string> expected = lines_of(lines(0, sent)), came;
  EXPECT_TRUE(eventually([&] {
    return static_cast<std::size_t>(fs::file_size(consumer.out_path())) >= 7U * expected.size();
  }));
  consumer.signal(SIGTERM);
  came = lines_of(consumer.wait().out);
  std::sort(came.begin(), came.end());
  EXPECT_EQ(came.size(), expected.size());
  EXPECT_TRUE(came == expected) << "lost or doubled";
}

/// What a target that cannot be used means to a host that publishes all the while.
class HostWithBadTarget : public HostBrokers {
 protected:
  HostWithBadTarget() { configure("publish", "sqlite"); }

  /// Has the config name that broker, with those options.
  void name_as_target(const std::string& options) const {
    const bool redis = GetParam() == "redis_stream";
    configure("publish", GetParam(), redis ? options : options_of("redis_stream"),
              redis ? options_of("rabbitmq") : options);
  }
  /// Everything that was said to anybody.
  [[nodiscard]] std::string all_that_was_said(const Process& host) const {
    return host.err() + ask("publish", {"status"}).out + ask("publish", {"status", "--json"}).out;
  }
  void expect_goes_on(Process& host) {
    for (int i = 0; i < 3; ++i) {
      host.write_input(lines(100 * i, 100 * (i + 1)));
      EXPECT_THAT(ask("publish", {"status", "--json"}).out,
                  AllOf(HasSubstr(active("sqlite")), HasSubstr(R"("phase":"failed")")));
    }
    host.close_input();
    const Finished published = host.wait();
    EXPECT_EQ(published.code, 0) << published.err;
    EXPECT_THAT(published.err, HasSubstr("confirmed 300 failed 0 in_doubt 0"));
  }
};

TEST_P(HostWithBadTarget, ThatIsDownItGoesOnAndSaysWhy) {
  HostProcess host(folder_, {"publish", "q", "--lines", "--watch", "--config", "publish.json"},
                   {.in = Stdin::pipe});
  name_as_target(nobody_listens(GetParam()));
  EXPECT_TRUE(comes_to("publish", R"("number":1,"phase":"failed")")) << host.err();
  const Finished asked = ask("publish", {"switch", GetParam(), "--wait"});
  EXPECT_EQ(asked.code, 5) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(all_that_was_said(host), HasSubstr("from sqlite to " + GetParam() + ": failed"));
  expect_goes_on(host);
}

TEST_P(HostWithBadTarget, ThatDoesNotLetItInItGoesOnAndKeepsTheSecret) {
  HostProcess host(
      folder_,
      {"publish", "q", "--lines", "--watch", "--config", "publish.json", "--log-level", "trace"},
      {.in = Stdin::pipe});
  name_as_target(with_wrong_credentials(options_of(GetParam())));
  EXPECT_TRUE(comes_to("publish", R"("number":1,"phase":"failed")")) << host.err();
  const Finished asked = ask("publish", {"switch", GetParam(), "--wait"});
  EXPECT_EQ(asked.code, 5) << asked.err;
  EXPECT_THAT(ask("publish", {"status", "--json"}).out,
              HasSubstr(R"("error":{"code":"access denied")"));
  EXPECT_THAT(all_that_was_said(host) + asked.err + folder_.read("publish-state/journal"),
              AllOf(HasSubstr(GetParam()), Not(HasSubstr("s3cret"))));
  expect_goes_on(host);
}

TEST_P(HostWithBadTarget, ThatIsMendedItFollows) {
  HostProcess host(folder_, {"publish", "q", "--lines", "--watch", "--config", "publish.json"},
                   {.in = Stdin::pipe});
  name_as_target(nobody_listens(GetParam()));
  EXPECT_TRUE(comes_to("publish", R"("phase":"failed")")) << host.err();
  name_as_target(options_of(GetParam()));
  EXPECT_TRUE(comes_to("publish", active(GetParam()))) << host.err();
  host.write_input(lines(0, 10));
  host.close_input();
  EXPECT_EQ(host.wait().code, 0);
  EXPECT_EQ(lines_of(ask("publish", {"consume", "q", "--max", "10"}).out), lines_of(lines(0, 10)));
}

INSTANTIATE_TEST_SUITE_P(, HostWithBadTarget, testing::Values("redis_stream", "rabbitmq"),
                         [](const auto& one) { return one.param; });

} // namespace
} // namespace swapmq::program_test

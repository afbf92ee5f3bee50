// SPDX-License-Identifier: MIT
#include "scenario.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>

#include "../support/text.hpp"

namespace switch_test {

using swapmq::live::RedisServer;

namespace {

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

std::string with(const std::string& options, const std::string& more) {
  return options.substr(0, options.rfind('}')) + "," + more + "}";
}

} // namespace

RedisServer& Stage::redis() {
  static RedisServer one(*swapmq::live::redis_setup("aof_always"));
  return one;
}

Stage::Stage() {
  std::filesystem::create_directory(folder_ / "books");
  sections_ = {{"sqlite", R"({"lease_ms":1000,"path":")" + folder_ / "queues.db" + R"("})"},
               {"redis_stream", with(redis().options().json(),
                                     R"("lease_ms":1000,"key_prefix":")" + prefix() + R"(")")},
               {"rabbitmq", with(from_environment("SWITCH_RABBITMQ"),
                                 R"("queue_prefix":")" + prefix() + R"(")")}};
}

void Stage::set_lease(milliseconds lease) {
  for (const char* backend : {"redis_stream", "sqlite"}) {
    set_section(backend,
                std::regex_replace(sections_.at(backend), std::regex("\"lease_ms\":[0-9]+"),
                                   "\"lease_ms\":" + std::to_string(lease.count())));
  }
}

std::string Stage::prefix() const {
  return std::filesystem::path(folder_.path()).filename().string() + "-";
}

int Stage::port_of(const std::string& backend) const {
  std::smatch found;
  const std::string& options = sections_.at(backend);
  EXPECT_TRUE(std::regex_search(options, found, std::regex("\"port\":([0-9]+)"))) << options;
  return std::stoi(found[1]);
}

Sections Stage::through(const Proxy& proxy, const std::string& backend) const {
  Sections sections = sections_;
  sections[backend] = std::regex_replace(sections_.at(backend), std::regex("\"port\":[0-9]+"),
                                         "\"port\":" + std::to_string(proxy.port()));
  return sections;
}

std::string Stage::write_config(const std::string& host, const std::string& type,
                                const Sections& sections) const {
  std::string text = R"({"message_queue":{"type":")" + type + R"(","retry_delay_seconds":0)";
  for (const auto& [name, options] : sections) text += ",\"" + name + "\":" + options;
  text += R"(},"switch":{"allow_capability_loss":true)" + switch_options_ +
          R"(},"log":{"level":"info","file":")" + folder_ / (host + ".log") +
          R"("},"state_dir":")" + state_dir(host) + R"("})";
  std::string path = folder_ / (host + ".json");
  std::ofstream(path) << text;
  return path;
}

std::unique_ptr<Host> Stage::start(const std::string& name, const std::string& type,
                                   const Sections& sections, std::uint64_t deadly_place) const {
  return std::make_unique<Host>(
      Host::Files{write_config(name, type, sections), folder_ / "books", folder_ / name},
      deadly_place);
}

std::string Stage::log_of(const std::string& host) const {
  return swapmq::live::whole_file(folder_ / (host + ".log"));
}

bool Stage::await_log(const std::string& host, const std::string& text) const {
  return await([&] { return log_of(host).find(text) != std::string::npos; });
}

void Stage::await_count(const std::string& word, std::size_t count) const {
  EXPECT_TRUE(await([&] { return books().count(word) >= count; }))
      << count << " " << word << ": " << books().summary();
}

void Stage::publish(Host& host, const std::string& prefix, int count, milliseconds delay,
                    const std::string& queue) const {
  host.tell("publish " + queue + " " + prefix + " " + std::to_string(count) + " " +
            std::to_string(delay.count()));
  host.tell("halt");
  const Books books = this->books();
  for (int n = 0; n < count; ++n) {
    const std::string id = prefix + "-" + std::to_string(n);
    EXPECT_EQ(books.times("ok", id), 1) << id << " was not confirmed";
  }
}

swapmq::MessageQueue Stage::look(const std::string& backend) const {
  const std::string config = R"({"message_queue":{"type":")" + backend + "\",\"" + backend +
                             "\":" + sections_.at(backend) + R"(},"log":{"level":"off"}})";
  return swapmq::MessageQueue::try_open_text(config).value();
}

swapmq::QueueStats Stage::sizes(const std::string& backend, const std::string& queue) const {
  return look(backend).stats(queue).value();
}

void Stage::expect_all_settled(const Books::Ids& may_be_twice, std::size_t in_doubt) const {
  EXPECT_TRUE(await([this] { return books().missing().empty(); }));
  for (const auto& [backend, options] : sections_) {
    auto mq = look(backend);
    std::string last;
    EXPECT_TRUE(await([&, &name = backend] {
      const auto stats = mq.stats("tasks").value();
      last = name + ": " + std::to_string(stats.ready) + "/" + std::to_string(stats.unacked) + "/" +
             std::to_string(stats.delayed);
      return stats.ready + stats.unacked + stats.delayed == 0;
    })) << last;
  }
  const Books books = this->books();
  EXPECT_THAT(books.missing(), testing::IsEmpty());
  Books::Ids twice = books.twice_for_no_reason();
  std::erase_if(twice, [&](const std::string& id) { return may_be_twice.contains(id); });
  EXPECT_LE(twice.size(), in_doubt) << testing::PrintToString(twice);
  EXPECT_THAT(books.strangers(), testing::IsEmpty());
  EXPECT_GT(books.count("ok"), 0U);
  std::cout << books.summary() << '\n';
}

milliseconds Stage::until_believed_empty(const std::string& backend) {
  return backend == "rabbitmq" ? milliseconds(3600) : milliseconds(600);
}

} // namespace switch_test

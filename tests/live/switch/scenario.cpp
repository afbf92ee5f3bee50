// SPDX-License-Identifier: MIT
#include "scenario.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>
#include <system_error>

#include "../support/text.hpp"

namespace switch_test {

using swapmq::live::ChildProcess;
using swapmq::live::Descriptor;
using swapmq::live::RedisServer;

bool await(const std::function<bool()>& condition, milliseconds timeout) {
  return swapmq::live::await(condition, timeout);
}

bool lasts(milliseconds time, const std::function<bool()>& condition) {
  return !await([&] { return !condition(); }, time);
}

// ---- a host -------------------------------------------------------------------------------------

namespace {

/// A pipe with a name, open at our side for both ways: neither side waits for the other.
Descriptor named_pipe(const std::string& path) {
  ::unlink(path.c_str());
  if (::mkfifo(path.c_str(), 0600) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  return Descriptor(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

} // namespace

Host::Host(const std::string& config, const std::string& notes, const std::string& files)
    : errors_(files + ".errors"),
      commands_(named_pipe(files + ".commands")),
      answers_(named_pipe(files + ".answers")) {
  process_.emplace(ChildProcess::Program{.arguments = {SCENARIO_HOST, config, notes},
                                         .output = files + ".answers",
                                         .input = files + ".commands",
                                         .errors = errors_});
  const std::string first = answer(Clock::now() + patience);
  if (first != "ok") throw Died(first);
}

std::string Host::answer(Clock::time_point deadline) {
  for (;;) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    char bytes[4096];
    const ssize_t length = ::read(answers_.get(), bytes, sizeof bytes);
    if (length > 0) {
      received_.append(bytes, static_cast<std::size_t>(length));
      continue;
    }
    if (!process_ || !process_->running()) {
      throw Died("the host died: " + swapmq::live::whole_file(errors_));
    }
    if (Clock::now() > deadline) throw std::runtime_error("the host does not answer");
    pollfd polled{answers_.get(), POLLIN, 0};
    ::poll(&polled, 1, 20); // its end is no event of the pipe
  }
}

std::string Host::tell(const std::string& line) {
  const std::string whole = line + "\n";
  if (::write(commands_.get(), whole.data(), whole.size()) < 0)
    throw Died("the host reads nothing");
  const std::string said = answer(Clock::now() + 2 * patience);
  if (said.rfind("ok", 0) != 0) throw std::runtime_error(line + ": " + said);
  return said.size() > 3 ? said.substr(3) : "";
}

HostState Host::state() {
  std::istringstream words(tell("status"));
  HostState state;
  words >> state.phase >> state.number >> state.config_refused;
  for (std::string name; words >> name;) {
    BackendState& one = state.backends[name];
    words >> one.role >> one.in_flight >> one.ready >> one.unacked >> one.delayed >> one.left >>
        one.error;
  }
  return state;
}

void Host::switch_to(const std::string& backend, const std::string& how) {
  tell("switch " + backend + " " + how);
  EXPECT_TRUE(await([&] { return role(backend) == "active" && publishes_to(backend); }))
      << state().phase;
}

void Host::kill() { process_.reset(); }

bool Host::died() { return !process_ || process_->wait(Clock::now() + patience).has_value(); }

void Host::end() {
  tell("close");
  const std::string last = "end\n";
  if (::write(commands_.get(), last.data(), last.size()) < 0) throw Died("the host reads nothing");
  const auto exit = process_->wait(Clock::now() + patience);
  if (!exit || exit->code != 0) throw std::runtime_error("the host does not end in order");
  process_.reset();
}

void let_flow(Host& host, std::uint64_t count) {
  const std::uint64_t until = host.published() + count;
  EXPECT_TRUE(await([&] { return host.published() >= until; }));
}

// ---- a scenario ---------------------------------------------------------------------------------

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

RedisServer& Scenario::redis() {
  static RedisServer one(*swapmq::live::redis_setup("aof_always"));
  return one;
}

Scenario::Scenario() {
  const std::string own = folder_.path().substr(folder_.path().rfind('/') + 1);
  sections_ = {{"sqlite", R"({"lease_ms":1000,"path":")" + folder_ / "queues.db" + R"("})"},
               {"redis_stream", with(redis().options().json(),
                                     R"("lease_ms":1000,"key_prefix":")" + own + R"(-")")},
               {"rabbitmq",
                with(from_environment("SWITCH_RABBITMQ"), R"("queue_prefix":")" + own + R"(-")")}};
}

int Scenario::port_of(const std::string& backend) const {
  std::smatch found;
  const std::string& options = sections_.at(backend);
  EXPECT_TRUE(std::regex_search(options, found, std::regex("\"port\":([0-9]+)"))) << options;
  return std::stoi(found[1]);
}

Sections Scenario::through(const Proxy& proxy, const std::string& backend) const {
  Sections sections = sections_;
  sections[backend] = std::regex_replace(sections_.at(backend), std::regex("\"port\":[0-9]+"),
                                         "\"port\":" + std::to_string(proxy.port()));
  return sections;
}

std::string Scenario::write_config(const std::string& host, const std::string& type,
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

std::unique_ptr<Host> Scenario::start(const std::string& name, const std::string& type,
                                      const Sections& sections) const {
  return std::make_unique<Host>(write_config(name, type, sections), notes(), folder_ / name);
}

std::string Scenario::log_of(const std::string& host) const {
  return swapmq::live::whole_file(folder_ / (host + ".log"));
}

void Scenario::await_count(const std::string& word, std::size_t count) const {
  EXPECT_TRUE(await([&] { return books().count(word) >= count; }))
      << count << " " << word << ": " << books().summary();
}

void Scenario::publish(Host& host, const std::string& prefix, int count, milliseconds delay,
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

swapmq::MessageQueue Scenario::look(const std::string& backend) const {
  const std::string config = R"({"message_queue":{"type":")" + backend + "\",\"" + backend +
                             "\":" + sections_.at(backend) + R"(},"log":{"level":"off"}})";
  return swapmq::MessageQueue::try_open_text(config).value();
}

swapmq::QueueStats Scenario::sizes(const std::string& backend, const std::string& queue) const {
  return look(backend).stats(queue).value();
}

void Scenario::expect_all_settled(const Books::Ids& may_be_twice) const {
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
  EXPECT_THAT(twice, testing::IsEmpty());
  EXPECT_THAT(books.strangers(), testing::IsEmpty());
  EXPECT_GT(books.count("ok"), 0U);
  std::cout << books.summary() << '\n';
}

milliseconds Scenario::until_believed_empty(const std::string& backend) {
  return backend == "rabbitmq" ? milliseconds(3600) : milliseconds(600);
}

} // namespace switch_test

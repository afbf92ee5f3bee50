// SPDX-License-Identifier: MIT
//
// switch_hundred: a host under load, 8 publishers and 8 consumers, is switched a hundred times to
// and fro between three backends, over each ordered pair of them; in the long run (with
// SWAPMQ_LONG set) ten thousand times. Nothing is lost, what comes twice is explained, and the
// host needs no more memory, descriptors or threads at the end than after a tenth of them.
#include <dirent.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "load.hpp"
#include "scenario.hpp"

namespace switch_test {
namespace {

constexpr std::array kWay = {"redis_stream", "rabbitmq", "sqlite", "rabbitmq",
                             "redis_stream", "sqlite"}; // from sqlite: each ordered pair once

bool long_run() { return std::getenv("SWAPMQ_LONG") != nullptr; }
int switches() { return long_run() ? 10'000 : 100; }
/// Messages, published and handled.
std::uint64_t between_switches() { return long_run() ? 100 : 400; }

/// What a process needs.
struct Usage {
  long memory_kb = 0, descriptors = 0, threads = 0;

  explicit Usage(pid_t process) {
    const std::string folder = "/proc/" + std::to_string(process);
    std::ifstream status(folder + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("VmRSS:", 0) == 0) memory_kb = std::atol(line.c_str() + 6);
      if (line.rfind("Threads:", 0) == 0) threads = std::atol(line.c_str() + 8);
    }
    if (DIR* open = ::opendir((folder + "/fd").c_str())) {
      while (const dirent* entry = ::readdir(open)) descriptors += entry->d_name[0] != '.' ? 1 : 0;
      ::closedir(open);
    }
  }
  void print(int at) const {
    std::printf("at switch %5d: %ld kB, %ld descriptors, %ld threads\n", at, memory_kb, descriptors,
                threads);
  }
};

class Hundred : public Scenario {
 protected:
  void begin() {
    host_ = start("host", "sqlite");
    load_ = std::make_unique<Load>(*host_, "take", 256);
    load_->publish(std::chrono::microseconds(200), 1);
    flow();
  }
  /// Some more are published and handled.
  void flow() {
    const std::uint64_t published = load_->all_published();
    const std::uint64_t handled = load_->all_handled();
    ASSERT_TRUE(await([&] {
      return load_->all_published() >= published + between_switches() &&
             load_->all_handled() >= handled + between_switches();
    }));
  }
  /// Once nothing is owed to any but the active one, while all goes on.
  Usage usage() {
    EXPECT_TRUE(await([this] {
      for (const auto& [name, one] : host_->state().backends) {
        if (one.role == "owed") return false;
      }
      return true;
    }));
    return Usage(host_->pid());
  }
  std::unique_ptr<Host> host_;
  std::unique_ptr<Load> load_;
};

TEST_F(Hundred, SwitchesUnderLoad) {
  const int all = switches();
  ASSERT_GT(all, 10);
  begin();
  std::vector<Usage> usages; // at each tenth of the way
  const auto began = Clock::now();
  for (int n = 1; n <= all; ++n) {
    host_->switch_to(kWay.at(static_cast<std::size_t>(n - 1) % kWay.size()));
    flow();
    if (HasFailure()) return;
    if (n % (all / 10) == 0) usages.push_back(usage());
  }
  const auto took = std::chrono::duration<double>(Clock::now() - began).count();
  load_->halt();
  ASSERT_TRUE(await([this] { return load_->all_handled() >= load_->all_published(); }));
  EXPECT_EQ(host_->state().number, static_cast<std::uint64_t>(all));
  const std::uint64_t may_be_twice = std::stoull(host_->tell("may_be_twice"));
  load_->end();
  host_->end();

  const Books books = this->books();
  std::printf(
      "%d switches in %.1f s: %zu confirmed, %zu in doubt, %zu failed, %zu lost, "
      "%zu twice (of %llu that may)\n",
      all, took, books.count("ok"), books.count("doubt"), books.count("fail"),
      books.missing().size(), books.twice().size(), static_cast<unsigned long long>(may_be_twice));
  for (std::size_t tenth = 1; const Usage& usage : usages) {
    usage.print(static_cast<int>(tenth++) * all / 10);
  }
  EXPECT_THAT(books.missing(), testing::IsEmpty());
  EXPECT_THAT(books.strangers(), testing::IsEmpty());
  EXPECT_EQ(books.count("fail"), 0U);
  EXPECT_LE(books.twice().size(), may_be_twice);
  // One more with each switch would be far more.
  const Usage& first = usages.front();
  const Usage& last = usages.back();
  EXPECT_LE(last.descriptors, first.descriptors + 8);
  EXPECT_LE(last.threads, first.threads + 4);
  EXPECT_LE(last.memory_kb, first.memory_kb + 4 * 1024);
}

} // namespace
} // namespace switch_test

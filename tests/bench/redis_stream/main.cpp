// SPDX-License-Identifier: MIT
//
// swapmq on Redis beside a raw client of Redis; see README.md.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "../../live/redis/redis_server.hpp"
#include "../broker/library.h"
#include "../broker/program.h"
#include "cases.h"
#include "redis.h"

namespace {

using swapmq::live::RedisServer;
using swapmq::live::RedisSetup;

class OnRedis final : public bench::Benchmark {
 public:
  [[nodiscard]] std::string name() const override { return "redis_stream"; }
  [[nodiscard]] std::string server_name() const override { return "redis-server"; }
  [[nodiscard]] std::vector<std::string> cases() const override {
    std::vector<std::string> names;
    for (const bench::Case& each : bench::all_cases()) names.emplace_back(each.name);
    return names;
  }
  [[nodiscard]] bench::Amount amount() const override { return {.repetitions = 41, .body = 64}; }

  void declare(CLI::App& app) override {
    app.add_option("--fsync", fsync_,
                   "Redis keeps an append-only file and syncs it: always, everysec or no; without "
                   "it, nothing is kept on disk")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"always", "everysec", "no"}));
  }
  void start() override {
    RedisSetup setup;
    if (fsync_ == "always") setup.keep = RedisSetup::Keep::always;
    if (fsync_ == "everysec") setup.keep = RedisSetup::Keep::every_second;
    if (fsync_ == "no") setup.more = {"appendonly yes", "appendfsync no"};
    server_.emplace(std::move(setup));
    redis_.emplace(server(), port());
  }

  [[nodiscard]] pid_t server() const override { return server_->pid(); }
  [[nodiscard]] std::string folder() const override { return server_->folder().path(); }
  bench::Broker& broker() override { return *redis_; }
  bench::Contest contest(const std::string& name) override {
    if (!library_) {
      const std::string url = "redis://127.0.0.1:" + std::to_string(port());
      library_.emplace(bench::open_library("redis_stream", R"({"url":")" + url + "\"}"));
    }
    const auto all = bench::all_cases();
    return contest_of(*std::ranges::find(all, name, &bench::Case::name), port(), *library_);
  }

 private:
  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(server_->port()); }

  std::string fsync_;
  std::optional<RedisServer> server_;
  std::optional<bench::Redis> redis_;
  std::optional<swapmq::MessageQueue> library_; // ends before its server
};

} // namespace

int main(int count, char** arguments) {
  OnRedis benchmark;
  return run_program(benchmark, count, arguments);
}

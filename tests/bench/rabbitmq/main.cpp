// SPDX-License-Identifier: MIT
//
// swapmq on RabbitMQ beside a raw client of RabbitMQ; see README.md.
#include <algorithm>
#include <optional>

#include "../../live/rabbitmq/rabbitmq_broker.hpp"
#include "../broker/program.h"
#include "cases.h"
#include "rabbit.h"

namespace {

class OnRabbitmq final : public bench::Benchmark {
 public:
  [[nodiscard]] std::string name() const override { return "rabbitmq"; }
  [[nodiscard]] std::string server_name() const override { return "RabbitMQ"; }
  [[nodiscard]] std::vector<std::string> cases() const override {
    std::vector<std::string> names;
    for (const bench::Case& each : all_) names.push_back(each.name);
    return names;
  }
  [[nodiscard]] bench::Amount amount() const override { return {.repetitions = 5}; }

  void start() override { server_.emplace(); }
  [[nodiscard]] pid_t server() const override { return server_->pid(); }
  [[nodiscard]] std::string folder() const override { return server_->folder().path(); }
  bench::Broker& broker() override { return *rabbit_; }
  bench::Contest contest(const std::string& name) override {
    const bench::Case& what = *std::ranges::find(all_, name, &bench::Case::name);
    auto options = server_->options();
    options.queue_type = what.queue_type;
    rabbit_.emplace(server(), options);
    return contest_of(what, options);
  }

 private:
  const std::vector<bench::Case> all_ = bench::all_cases();
  std::optional<swapmq::live::RabbitmqBroker> server_;
  std::optional<bench::Rabbit> rabbit_; // for queues of a type; ends before its server
};

} // namespace

int main(int count, char** arguments) {
  OnRabbitmq benchmark;
  return run_program(benchmark, count, arguments);
}

// SPDX-License-Identifier: MIT
#include "host_support.h"

#include <algorithm>
#include <filesystem>

namespace swapmq::program_test {
namespace {

/// The config that they name.
std::string config_in(const Args& args) {
  const auto option = std::find(args.begin(), args.end(), "--config");
  return option == args.end() ? "swapmq.json" : *std::next(option);
}

Args with_config(Args args) {
  const std::string config = config_in(args);
  if (std::find(args.begin(), args.end(), "--config") == args.end()) {
    args.insert(args.end(), {"--config", config});
  }
  return args;
}

} // namespace

std::string HostFolder::config(const std::string& type, const std::string& more,
                               const std::string& state_dir) {
  return R"({"message_queue": {"type": ")" + type +
         R"(", "sqlite": {"path": "queues.db"},
    "memory": {}, "trouble": {"down": true, "password": "s3cret"}, "retry_delay_seconds": 0},
    "plugin_path": [")" SWAPMQ_TEST_BACKENDS R"(", ")" SWAPMQ_TEST_BACKENDS
         R"(/hanging"], "state_dir": ")" +
         state_dir + "\"" + more + "}";
}

bool HostFolder::exists(const std::string& name) const {
  return std::filesystem::exists(std::filesystem::symlink_status(folder_.path() + "/" + name));
}

std::string active(const std::string& name) { return R"("name":")" + name + R"(","active":true)"; }

HostProcess::HostProcess(const Folder& folder, Args args, const How& how)
    : Process(folder, with_config(args), how) {
  const Args asking{"status", "--quiet", "--config", config_in(args)};
  EXPECT_TRUE(eventually([&] { return run(folder, asking).code == 0; })) << err();
}

} // namespace swapmq::program_test

// SPDX-License-Identifier: MIT
#include "broker_control.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "breach.h"
#include "child.h"
#include "plugin.h"

namespace swapmq::contract {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{1};

std::string whole(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

} // namespace

bool BrokerControl::given() { return !kit().options.broker_control.empty(); }

void BrokerControl::tell(const std::string& word) {
  const std::string& command = kit().options.broker_control;
  const std::string output = (std::filesystem::path(kit().options.dir) / "broker-control").string();
  // Into a file: a broker that was started in the background would keep a pipe open.
  const std::string line = R"(exec >"$1" 2>&1 </dev/null; )" + command + R"( "$2")";
  Process process("/bin/sh", {"-c", line, "broker-control", output, word}, false);
  std::string nothing;
  const Ended ended = process.wait(Clock::now() + kPatience, 0, nothing);
  if (ended.exit_code == 0) return;
  std::string how = "was ended by signal " + std::to_string(ended.signal);
  if (ended.timed_out) how = "was not done after a minute";
  if (ended.exit_code > 0) how = "exited with " + std::to_string(ended.exit_code);
  throw Breach("--broker-control: " + command + " " + word + " " + how + "\n" + whole(output));
}

} // namespace swapmq::contract

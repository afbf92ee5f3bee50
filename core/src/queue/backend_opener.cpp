// SPDX-License-Identifier: MIT
#include "queue/backend_opener.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <span>
#include <utility>

#include "plugin/sha256.h"
#include "probe/trial.h"

namespace swapmq::queue {
namespace {

/// Who we are to brokers: host name, process and a random part, in letters that all of them take.
std::string instance_name() {
  std::array<char, 65> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host = {'h', 'o', 's', 't'};
  std::string name(host.data());
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  }
  std::uint32_t random = 0;
  if (getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    random =
        static_cast<std::uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", random);
  return name + "-" + std::to_string(getpid()) + "-" + hex.data();
}

Result<std::shared_ptr<const plugin::Plugin>> load(const config::Config& config,
                                                   std::string_view name) {
  plugin::LoadRequest request;
  request.name_or_path = name;
  request.plugin_path = config.plugin_path;
  if (const auto pin = config.sha256.find(request.name_or_path); pin != config.sha256.end()) {
    request.sha256 = pin->second;
  }
  return plugin::Plugin::load(request);
}

} // namespace

BackendOpener::BackendOpener(const config::Current& config, std::shared_ptr<Log> log)
    : config_(config), log_(std::move(log)), instance_(instance_name()) {}

Result<switching::Member> BackendOpener::member(const config::Config& config,
                                                std::string_view name) {
  auto plugin = load(config, name);
  if (!plugin) return plugin.error();
  auto member = switching::member_of(std::string(name), config.options_of(name),
                                     (*plugin)->description().options_schema);
  member.plugin = std::move(*plugin);
  return member;
}

Result<std::vector<switching::Member>> BackendOpener::members(const config::Config& config) {
  std::vector<switching::Member> all;
  for (const auto& [name, options] : config.options) {
    if (name == config.type) continue;
    if (auto one = member(config, name)) all.push_back(std::move(*one));
  }
  auto configured = member(config, config.type);
  if (!configured) return configured.error();
  all.push_back(std::move(*configured));
  return all;
}

/// Nothing else runs yet when the first one is opened, and one that forgets its messages touches
/// nothing outside the process.
Error BackendOpener::try_first(const SideSetup& setup, const Kind& kind,
                               const config::Config& config, const OpenTerms& terms) {
  if (!config.probe || setup.plugin->capabilities().durability == SWAPMQ_DURABILITY_NONE) return {};
  {
    const Lock lock(mutex_);
    if (!opened_one_ || known_.contains(kind)) return {};
  }
  plugin::OpenRequest request;
  request.options_json = setup.options_json;
  request.instance = setup.instance + "-probe";
  probe::Terms trial;
  trial.deadline =
      std::min(std::chrono::steady_clock::now() + setup.connection_timeout, terms.deadline);
  trial.given_up = terms.given_up;
  trial.warn = [this](const std::string& line) { log_->write(LogLevel::warning, line); };
  return probe::try_opening(*setup.plugin, request, trial);
}

Result<std::shared_ptr<Side>> BackendOpener::open(const switching::Member& member,
                                                  const OpenTerms& terms) {
  const auto config = config_.get();
  SideSetup setup;
  setup.name = member.name;
  setup.key = member.key;
  setup.plugin = member.plugin;
  if (setup.plugin == nullptr) {
    auto plugin = load(*config, member.name);
    if (!plugin) return plugin.error();
    setup.plugin = std::move(*plugin);
  }
  setup.options_json = member.options;
  setup.instance = instance_;
  setup.pool = config->pool;
  setup.connection_timeout = config->connection_timeout;
  setup.open_by = terms.deadline;
  const Kind kind{setup.plugin.get(),
                  plugin::sha256_hex(std::as_bytes(std::span(setup.options_json)))};
  if (Error error = try_first(setup, kind, *config, terms)) return error;
  std::shared_ptr<metrics::Registry> registry;
  {
    const Lock lock(mutex_);
    auto& kept = registries_[member.name];
    if (kept == nullptr) kept = std::make_shared<metrics::Registry>();
    registry = kept;
  }
  auto side = Side::open(setup, log_, std::move(registry));
  if (!side) return side;
  const Lock lock(mutex_);
  opened_one_ = true;
  if (known_.size() >= max_known) known_.clear(); // they are tried once more
  known_.insert(kind);
  return side;
}

std::vector<Metric> BackendOpener::metrics() const {
  const Lock lock(mutex_);
  std::vector<Metric> all;
  for (const auto& [name, registry] : registries_) {
    std::vector<Metric> one = registry->snapshot(name);
    all.insert(all.end(), std::make_move_iterator(one.begin()), std::make_move_iterator(one.end()));
  }
  return all;
}

} // namespace swapmq::queue

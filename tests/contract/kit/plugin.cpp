// SPDX-License-Identifier: MIT
#include "plugin/plugin.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "harness.h"
#include "plugin.h"

namespace swapmq::contract {

namespace {
thread_local Kit* used = nullptr; // NULL: the one of the process

std::string backends_beside() {
  std::error_code error; // an unreadable link leaves a folder that holds nothing
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path() / SWAPMQ_KIT_TO_BACKENDS).lexically_normal().string();
}
} // namespace

Kit& kit() {
  static Kit the_kit;
  return used != nullptr ? *used : the_kit;
}

Using::Using(Kit& other) : before_(std::exchange(used, &other)) {}

Using::~Using() { used = before_; }

std::string load_plugin(const Options& options) {
  plugin::LoadRequest request;
  request.name_or_path = options.plugin;
  request.allow_path = true;
  // The kit lies two folders deeper than the programs that the search knows its way from.
  if (std::getenv("SWAPMQ_PLUGIN_PATH") == nullptr) request.plugin_path = {backends_beside()};
  auto loaded = plugin::Plugin::load(request);
  if (!loaded) return loaded.error().message();
  Kit& to = kit();
  to.options = options;
  to.plugin = loaded.value();
  to.vtable = &to.plugin->vtable();
  to.path = to.plugin->description().path;
  to.name = to.plugin->description().name;
  to.capabilities = to.plugin->capabilities();
  to.limits = to.plugin->limits();
  return {};
}

std::string describe_backend() {
  try {
    const Backend backend;
    Kit& to = kit();
    call("describe", [&] { to.vtable->describe(backend.raw(), &to.capabilities, &to.limits); });
    return {};
  } catch (const std::exception& failure) {
    return "cannot open " + kit().name + ": " + failure.what();
  }
}

} // namespace swapmq::contract

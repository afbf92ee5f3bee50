// SPDX-License-Identifier: MIT
#include "probe/trial.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "plugin/session_call.h"
#include "plugin/trusted_file.h"
#include "probe/child.h"
#include "probe/words.h"
#include "thread_safety.h"

namespace swapmq::probe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// Whoever keeps to a deadline answers a little after it.
constexpr milliseconds grace{1000};

/// Where the program may be: beside the contract kit, from the library's folder, where both are
/// installed and in the build tree.
std::vector<std::string> places() {
  std::vector<std::string> all;
  Dl_info about{};
  std::error_code error;
  if (::dladdr(reinterpret_cast<const void*>(&places), &about) != 0) {
    const auto library = std::filesystem::canonical(about.dli_fname, error);
    for (const char* way : {SWAPMQ_LIBRARY_TO_PROBE, "../libexec/swapmq/swapmq-probe"}) {
      if (!error) all.push_back((library.parent_path() / way).lexically_normal().string());
    }
  }
  all.emplace_back(SWAPMQ_PROBE_PATH);
  return all;
}

/// not_found: there is none.
Result<std::string> program() {
  std::string looked;
  for (const std::string& path : places()) {
    const auto file = plugin::open_trusted(path);
    if (file) return path;
    if (file.error().code() != Errc::not_found) {
      return Error(file.error().code(), path + ": " + file.error().message());
    }
    looked += (looked.empty() ? "" : ", ") + path;
  }
  return Error(Errc::not_found, "there is none; looked for " + looked);
}

void warn_once(const Terms& terms, const Error& why) {
  static std::atomic<bool> warned{false};
  if (warned.exchange(true) || !terms.warn) return;
  terms.warn("the program swapmq-probe cannot be used (" + why.message() +
             "): plugins that are new to this process are not tried in another one first");
}

std::string where(const std::string& step) {
  return step == "load" ? "while it was mapped" : "in " + step;
}

/// What the plugin, or the probe itself, did that it should not; empty: nothing.
std::string misdeed(const ChildEnd& end, const Report& report) {
  const std::string at = report.step.empty() ? "before it began" : where(report.step);
  if (end.late) return "did not come back in time " + at;
  if (end.signal) {
    const char* word = ::sigabbrev_np(*end.signal);
    return "crashed with signal " + std::to_string(*end.signal) +
           (word != nullptr ? std::string(" (SIG") + word + ") " : " ") + at;
  }
  if (report.ended) return {};
  if (!end.status) return "ended its process " + at;
  return "ended its process with status " + std::to_string(*end.status) + " " + at;
}

/// `image` is opened anew: whoever reads it has a position of its own.
Result<ChildEnd> run(const std::string& path, const Request& request,
                     const plugin::SealedCopy& image, const Terms& terms) {
  const plugin::UniqueFd bytes(::open(image.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!bytes) return Error(Errc::resource_exhausted, "its copy in memory cannot be opened", true);
  ChildSetup setup;
  setup.program = path;
  setup.input = to_text(request);
  setup.extra = bytes.get();
  setup.deadline = terms.deadline + grace;
  setup.given_up = terms.given_up;
  return run_child(setup);
}

/// `subject`: begins what is said of a misdeed. `untouched`: ends it.
Error hold(Request request, const plugin::SealedCopy& image, const Terms& terms,
           const std::string& subject, const std::string& untouched) {
  const auto path = program();
  if (!path) {
    warn_once(terms, path.error());
    return {};
  }
  request.deadline_ns = plugin::to_ns(terms.deadline);
  request.parent = ::getpid();
  const auto end = run(*path, request, image, terms);
  if (!end) {
    return {end.error().code(), subject + " could not be tried: " + end.error().message(), true};
  }
  if (end->given_up) return {Errc::interrupted, "cancelled"};
  const Report report = report_from(end->output);
  if (report.other_build) {
    warn_once(terms, Error(Errc::plugin, *path + " is of another build"));
    return {};
  }
  const std::string did = misdeed(*end, report);
  if (did.empty()) return report.error;
  if (report.step.empty()) { // that is not the plugin's doing
    return {Errc::unavailable, subject + " could not be tried: " + *path + " " + did, true};
  }
  return {Errc::plugin, subject + " " + did + ", in a process of its own; " + untouched, end->late};
}

struct Guards {
  struct One {
    milliseconds timeout;
    std::function<void(const std::string&)> warn;
  };
  Mutex mutex;
  std::map<const Guard*, One> on SWAPMQ_GUARDED_BY(mutex);
};

/// Never destroyed: plugins may be loaded until the process ends.
Guards& guards() {
  static auto* const made = new Guards;
  return *made;
}

std::optional<Guards::One> any_guard() {
  Guards& all = guards();
  const Lock lock(all.mutex);
  if (all.on.empty()) return std::nullopt;
  return all.on.begin()->second;
}

} // namespace

void Guard::on(milliseconds timeout, std::function<void(const std::string&)> warn) {
  Guards& all = guards();
  const Lock lock(all.mutex);
  all.on[this] = {timeout, std::move(warn)};
}

void Guard::off() {
  Guards& all = guards();
  const Lock lock(all.mutex);
  all.on.erase(this);
}

Error try_loading(const plugin::SealedCopy& image, const std::string& name,
                  const std::string& path) {
  const auto guard = any_guard();
  if (!guard) return {};
  Request request;
  request.name = name;
  request.path = path;
  const Terms terms{steady_clock::now() + guard->timeout, {}, guard->warn};
  return hold(std::move(request), image, terms, "it", "it was not loaded here");
}

Error try_opening(const plugin::Plugin& plugin, const plugin::OpenRequest& open,
                  const Terms& terms) {
  Request request;
  request.name = plugin.description().name;
  request.path = plugin.description().path;
  request.open = true;
  request.options = open.options_json;
  request.instance = open.instance;
  return hold(std::move(request), plugin.image(), terms, "the plugin " + plugin.description().name,
              "it was not opened here");
}

} // namespace swapmq::probe

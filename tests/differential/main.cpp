// SPDX-License-Identifier: MIT
//
// swapmq_differential: whether a user can tell a backend from memory.so.
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "arguments.h"
#include "child.h"
#include "mortal.h"
#include "report.h"
#include "run_folder.h"
#include "shrink.h"
#include "watchdog.h"

namespace swapmq::differential {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kUsage = 2;
constexpr int kNoFolder = 3;
constexpr int kNoPlugin = 4;

/// A run of fewer operations cannot reach everything, and is not failed for it.
constexpr std::uint64_t kEnoughForAll = 8000;

/// While a sequence is being shrunk, what does not come is not waited for very long: at worst the
/// sequence shows something else, which the last trial, with all patience, finds out.
constexpr milliseconds kShortPatience{100};
constexpr milliseconds kShortPatienceWithDeaths{4000};

int trouble(int code, const std::string& why) {
  std::fprintf(stderr, "swapmq_differential: %s\n", why.c_str());
  return code;
}

/// An empty string, or what went wrong.
std::string load(contract::Kit& kit, const contract::Options& options) {
  const contract::Using its(kit);
  if (std::string why = contract::load_plugin(options); !why.empty()) return why;
  return contract::describe_backend();
}

contract::Options kit_options(const Arguments& arguments, const std::string& dir) {
  contract::Options options;
  options.plugin = arguments.plugin;
  options.options = arguments.options;
  options.dir = dir;
  options.hang = arguments.hang;
  options.patience = arguments.patience;
  return options;
}

std::string prepare(Setting& setting, const Arguments& arguments, const std::string& dir) {
  setting.dir = dir;
  setting.other_options = arguments.options;
  setting.patience = arguments.patience;
  setting.living_lease = arguments.lease;
  setting.reads_ahead = arguments.reads_ahead;
  setting.returns_late = arguments.returns_late;
  contract::Options options = kit_options(arguments, dir);
  contract::put_dir(options.options, dir);
  if (std::string why = load(setting.other, options); !why.empty()) return why;
  options.plugin = SWAPMQ_DIFFERENTIAL_MODEL;
  options.options = "{}";
  if (std::string why = load(setting.model, options); !why.empty()) return why;
  setting.powers = common_powers(setting.model.capabilities, setting.model.limits,
                                 setting.other.capabilities, setting.other.limits);
  return {};
}

int be_a_child(const Arguments& arguments) {
  const std::string why =
      load(contract::kit(), kit_options(arguments, arguments.dir)); // {dir} is replaced already
  if (!why.empty()) return trouble(kNoPlugin, why);
  return act_out(arguments.child_args);
}

bool has_death(const Operations& operations) {
  return std::any_of(operations.begin(), operations.end(),
                     [](const Operation& operation) { return operation.kind == Kind::kDie; });
}

/// The shortest that still shows a difference with all patience; `found` if there is none.
Difference shortest(Setting& setting, const Arguments& arguments, const Difference& found) {
  const auto until = Clock::now() + arguments.shrink_time;
  for (const int more : {1, 8}) {
    const Trial trial = [&](const Operations& operations) {
      Coverage ignored;
      const milliseconds patience =
          has_death(operations) ? kShortPatienceWithDeaths : kShortPatience;
      return replay(setting, operations, ignored, std::min(more * patience, setting.patience));
    };
    const Difference shrunk = shrink(found, trial, until);
    Coverage ignored;
    if (auto sure = replay(setting, shrunk.operations, ignored, setting.patience)) return *sure;
  }
  std::printf("the sequence did not fail again: what it shows depends on time\n");
  return found;
}

int judge(Setting& setting, const Arguments& arguments, const Coverage& coverage,
          std::optional<Difference> difference) {
  const std::string& name = setting.other.name;
  if (difference) {
    std::printf("%s differs from memory after %zu operations: %s\n", name.c_str(),
                difference->operations.size(), difference->what.c_str());
    std::fflush(stdout);
    if (arguments.replay.empty()) {
      *difference = shortest(setting, arguments, *difference);
      std::printf("the shortest sequence found has %zu operations (seed %" PRIu64 "):\n\n",
                  difference->operations.size(), arguments.seed);
      print_difference(arguments, *difference);
    }
  } else {
    print_coverage(coverage, setting.powers);
    std::printf("\n%s: %" PRIu64 " operations as on memory (seed %" PRIu64 ")\n", name.c_str(),
                coverage.operations(), arguments.seed);
  }
  if (!arguments.json.empty() && !write_json(arguments, coverage, setting.powers, difference)) {
    return trouble(kUsage, "cannot write " + arguments.json + ": " + std::strerror(errno));
  }
  if (difference && !arguments.save.empty() && !save_operations(arguments.save, *difference)) {
    return trouble(kUsage, "cannot write " + arguments.save + ": " + std::strerror(errno));
  }
  if (difference) return 1;
  if (!arguments.replay.empty() || coverage.operations() < kEnoughForAll) return 0;
  const auto missing = not_reached(coverage, setting.powers);
  for (const std::string& what : missing) std::printf("never reached: %s\n", what.c_str());
  return missing.empty() ? 0 : 1;
}

int run(const Arguments& arguments) {
  contract::catch_interruptions();
  const contract::RunFolder folder(arguments.dir, "swapmq-differential");
  if (!folder.trouble().empty()) {
    return trouble(kNoFolder, "cannot make a temporary folder (" + folder.trouble() + ")");
  }
  const contract::Watchdog watchdog(arguments.hang, folder.to_remove());
  if (!arguments.child.empty()) return be_a_child(arguments);

  Setting setting;
  if (const std::string why = prepare(setting, arguments, folder.path()); !why.empty()) {
    return trouble(kNoPlugin, why);
  }
  Coverage coverage;
  if (!arguments.replay.empty()) {
    std::string why;
    const auto operations = read_operations(arguments.replay, why);
    if (!operations) return trouble(kUsage, why);
    auto difference = replay(setting, *operations, coverage, setting.patience);
    return judge(setting, arguments, coverage, std::move(difference));
  }
  std::printf("%s against memory: %" PRIu64 " operations, seed %" PRIu64 "\n",
              setting.other.name.c_str(), arguments.operations, arguments.seed);
  std::fflush(stdout);
  auto difference =
      explore(setting, arguments.seed, arguments.operations, arguments.length, coverage);
  return judge(setting, arguments, coverage, std::move(difference));
}

} // namespace
} // namespace swapmq::differential

int main(int argc, char** argv) {
  using namespace swapmq::differential;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--help") return print_usage(), 0;
  }
  const auto arguments = parse(argc, argv);
  if (!arguments) return kUsage;
  return run(*arguments);
}

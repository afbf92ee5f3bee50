// SPDX-License-Identifier: MIT
#include "run.h"

#include <gtest/gtest-spi.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "apply.h"
#include "generator.h"
#include "run_folder.h"

namespace swapmq::differential {

using contract::Breach;

namespace {

/// What the harness of the contract kit finds without ending a call: it tells GoogleTest.
class Findings {
 public:
  /// Throws what has been found.
  void raise() const {
    for (int i = 0; i < found_.size(); ++i) {
      if (found_.GetTestPartResult(i).failed()) throw Breach(found_.GetTestPartResult(i).message());
    }
  }

 private:
  ::testing::TestPartResultArray found_;
  ::testing::ScopedFakeTestPartResultReporter reporter_{
      ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &found_};
};

/// Short sequences are soon shrunk; what needs many messages to show is left to a long one now and
/// then.
constexpr std::uint64_t kLongEvery = 4;
constexpr std::uint64_t kLongTimes = 8;

/// A folder of its own for the backend, and a store of its own for the model.
class FreshPlace {
 public:
  explicit FreshPlace(Setting& setting) {
    static std::uint64_t next = 1;
    const std::string number = std::to_string(next++);
    dir_ = setting.dir + "/" + number;
    std::filesystem::create_directories(dir_);
    setting.other.options.dir = dir_;
    setting.other.options.options = setting.other_options;
    contract::put_dir(setting.other.options.options, dir_);
    setting.model.options.options = R"({"name":"differential-)" + number + "\"}";
  }
  FreshPlace(const FreshPlace&) = delete;
  FreshPlace& operator=(const FreshPlace&) = delete;
  ~FreshPlace() {
    std::error_code ignored; // the run's folder is removed as a whole later
    std::filesystem::remove_all(dir_, ignored);
  }

 private:
  std::string dir_;
};

/// The next operation, if there is one more; the world says what is applicable.
using Source = std::function<std::optional<Operation>(World&)>;

std::optional<Difference> run(Setting& setting, const Source& source, Coverage& coverage,
                              milliseconds patience) {
  const FreshPlace place(setting);
  const Findings findings;
  Difference difference;
  try {
    World world(setting, coverage, patience);
    while (const auto operation = source(world)) {
      difference.operations.push_back(*operation);
      apply(world, *operation);
      findings.raise();
      coverage.operation(operation->kind);
    }
    difference.at_the_end = true;
    finish(world);
    findings.raise();
    return std::nullopt;
  } catch (const Breach& breach) {
    difference.what = breach.what();
    return difference;
  }
}

} // namespace

std::optional<Difference> replay(Setting& setting, const Operations& operations, Coverage& coverage,
                                 milliseconds patience) {
  std::size_t next = 0;
  const Source source = [&](World& world) -> std::optional<Operation> {
    while (next < operations.size()) {
      const Operation& operation = operations[next++];
      if (applicable(world, operation)) return operation;
    }
    return std::nullopt;
  };
  return run(setting, source, coverage, patience);
}

std::optional<Difference> explore(Setting& setting, std::uint64_t seed, std::uint64_t count,
                                  std::uint64_t length, Coverage& coverage) {
  Generator generator(seed, setting.powers);
  for (std::uint64_t turn = 1; coverage.operations() < count; ++turn) {
    const std::uint64_t this_long = turn % kLongEvery == 0 ? length * kLongTimes : length;
    const std::uint64_t end = std::min(count, coverage.operations() + this_long);
    const Source source = [&](World& world) -> std::optional<Operation> {
      if (coverage.operations() >= end) return std::nullopt;
      return generator.next(
          coverage, [&](const Operation& operation) { return applicable(world, operation); });
    };
    if (auto difference = run(setting, source, coverage, setting.patience)) return difference;
  }
  return std::nullopt;
}

} // namespace swapmq::differential

// SPDX-License-Identifier: MIT
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 sees an uninitialised std::function inside <regex> once sanitizers are on.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "config/pattern.h"

#include <regex>
#include <utility>

namespace swapmq::config {
namespace {

class Compiled final : public Pattern {
 public:
  explicit Compiled(std::regex regex) : regex_(std::move(regex)) {}

  [[nodiscard]] bool found_in(std::string_view text) const override {
    return std::regex_search(text.begin(), text.end(), regex_);
  }

 private:
  std::regex regex_;
};

} // namespace

std::unique_ptr<const Pattern> Pattern::compile(std::string_view expression) {
  if (expression.size() > kMaxPatternBytes) return nullptr;
  auto flags = std::regex::ECMAScript;
#if defined(__GLIBCXX__)
  // All alternatives at once, instead of one after the other by recursion.
  flags |= std::regex_constants::__polynomial;
#endif
  try {
    return std::make_unique<Compiled>(std::regex(expression.begin(), expression.end(), flags));
  } catch (const std::regex_error&) {
    return nullptr;
  }
}

} // namespace swapmq::config

// SPDX-License-Identifier: MIT
//
// A regular expression of ECMAScript, without back-references, that neither time nor stack can
// explode on.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace swapmq::config {

/// Texts longer than this are not to be matched.
inline constexpr std::size_t kMaxMatchedBytes = 4096;
inline constexpr std::size_t kMaxPatternBytes = 512;

class Pattern {
 public:
  /// Null if it is no such expression.
  static std::unique_ptr<const Pattern> compile(std::string_view expression);

  Pattern() = default;
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  virtual ~Pattern() = default;
  /// Whether there is a match anywhere in the text. Compares bytes.
  [[nodiscard]] virtual bool found_in(std::string_view text) const = 0;
};

} // namespace swapmq::config

// SPDX-License-Identifier: MIT
#include "suggestion.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace swapmq::host {
namespace {

/// Insertions, deletions, replacements and swapped neighbours (optimal string alignment).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

} // namespace

std::string_view nearest(std::string_view typed, std::span<const std::string> candidates) {
  constexpr std::size_t longest_compared = 64; // bounds the work; no command is as long
  if (typed.size() < 2 || typed.size() > longest_compared) return {};
  std::string_view best;
  std::size_t best_edits = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : candidates) {
    const bool abbreviated = candidate.starts_with(typed);
    const std::size_t distance = abbreviated ? 1 : edits(typed, candidate);
    const std::size_t near = std::max<std::size_t>(1, candidate.size() / 3);
    if (distance <= near && distance < best_edits) {
      best = candidate;
      best_edits = distance;
    }
  }
  return best;
}

} // namespace swapmq::host

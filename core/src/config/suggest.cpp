// SPDX-License-Identifier: MIT
#include "config/suggest.h"

#include <algorithm>

#include "config/text.h"

namespace swapmq::config {
namespace {

constexpr std::size_t kMostNamed = 16;

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

std::string folded(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return folded(c); });
  return out;
}

bool extends(std::string_view longer, std::string_view shorter) {
  return shorter.size() >= 4 && longer.size() > shorter.size() && longer.starts_with(shorter);
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return limit + 1;
  const std::string x = folded(a), y = folded(b);
  std::vector<std::size_t> before(y.size() + 1), last(y.size() + 1), row(y.size() + 1);
  for (std::size_t j = 0; j <= y.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= x.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= y.size(); ++j) {
      const std::size_t change = last[j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1);
      row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
    before.swap(last);
    last.swap(row);
  }
  return std::min(last[y.size()], limit + 1);
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  const std::size_t limit = std::clamp<std::size_t>(word.size() / 3, 1, 3);
  std::optional<std::string_view> best;
  std::size_t best_distance = limit + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, limit);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  if (best) return best;
  const std::string plain = folded(word);
  for (const std::string_view candidate : candidates) {
    if (extends(candidate, plain) || extends(plain, candidate)) return candidate;
  }
  return std::nullopt;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (candidates.empty()) return "; none is allowed here";
  if (const auto meant = nearest(word, candidates)) {
    return "; did you mean " + quoted(*meant) + "?";
  }
  std::string out = "; known here: ";
  const std::size_t named = std::min(candidates.size(), kMostNamed);
  for (std::size_t i = 0; i < named; ++i) {
    if (i > 0) out += ", ";
    out += quoted(candidates[i]);
  }
  if (named < candidates.size()) out += ", ...";
  return out;
}

} // namespace swapmq::config

// SPDX-License-Identifier: MIT
#include "generator.h"

#include <array>
#include <numeric>
#include <vector>

namespace swapmq::differential {

namespace {

/// In the order of Kind. What waits (near, die) is rare, since it is slow.
constexpr std::array<std::uint64_t, kKinds> kWeights = {
    20,  180, 140, 40, 3,  // create, publish, -rich, -delayed, -near
    200, 110,              // receive, exchange
    80,  80,  40,  3,      // ack, nack, nack-delayed, -near
    60,  60,  30,          // release, reject, settle-again
    20,  15,  80,  50, 1}; // purge, delete, stats, leave, die

/// A pair that was reached as often as this is rare no more.
constexpr std::uint64_t kOftenEnough = 2;
/// So many draws may find no queue or consumer that a kind can be applied to.
constexpr int kDraws = 40;

bool is_slow(Kind kind) {
  return kind == Kind::kPublishNear || kind == Kind::kNackNear || kind == Kind::kDie;
}

} // namespace

Kind Generator::by_weight() {
  constexpr std::uint64_t kSum = std::accumulate(kWeights.begin(), kWeights.end(), std::uint64_t{});
  for (;;) {
    std::uint64_t left = random_.below(kSum);
    std::size_t at = 0;
    while (left >= kWeights[at]) left -= kWeights[at++];
    if (possible(static_cast<Kind>(at), powers_)) return static_cast<Kind>(at);
  }
}

bool Generator::rare(const Coverage& coverage, Kind& kind) {
  if (!coverage.has_before()) return false;
  // After what is slow, and so comes seldom, none of the few occasions is missed.
  if (!is_slow(coverage.before()) && !random_.one_in(4)) return false;
  std::vector<Kind> rare;
  for (std::size_t i = 0; i < kKinds; ++i) {
    const Kind next = static_cast<Kind>(i);
    if (!possible(next, powers_)) continue;
    if (coverage.pair(coverage.before(), next) < kOftenEnough) rare.push_back(next);
  }
  if (rare.empty()) return false;
  kind = rare[random_.below(rare.size())];
  return true;
}

Operation Generator::of_kind(Kind kind) {
  Operation operation;
  operation.kind = kind;
  operation.queue = static_cast<unsigned>(random_.below(kQueues));
  operation.consumer = static_cast<unsigned>(random_.below(kConsumers));
  operation.count = 1 + static_cast<unsigned>(random_.below(8));
  // More than there is, and than the prefetch allows, now and then.
  if (random_.one_in(8)) operation.count += 20;
  operation.seed = random_.next() >> 32; // short enough to read
  return operation;
}

Operation Generator::next(const Coverage& coverage,
                          const std::function<bool(const Operation&)>& applicable) {
  for (bool first = true;; first = false) {
    Kind kind = by_weight();
    // Only once: what is rare may not be applicable for a long time.
    if (first) static_cast<void>(rare(coverage, kind));
    for (int draw = 0; draw < kDraws; ++draw) {
      const Operation operation = of_kind(kind);
      if (applicable(operation)) return operation;
    }
  }
}

} // namespace swapmq::differential

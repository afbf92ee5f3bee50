// SPDX-License-Identifier: MIT
#include "shrink.h"

#include <algorithm>

namespace swapmq::differential {

namespace {

using Clock = std::chrono::steady_clock;

/// What may show the same, and is quicker or easier to read.
std::vector<Kind> plainer_kinds(Kind kind) {
  switch (kind) {
    case Kind::kPublishRich:
    case Kind::kPublishNear:
      return {Kind::kPublish};
    case Kind::kNackNear:
      return {Kind::kNack};
    case Kind::kExchange:
      return {Kind::kReceive, Kind::kAck, Kind::kNack, Kind::kRelease, Kind::kReject};
    case Kind::kDie:
      return {Kind::kReceive};
    default:
      return {};
  }
}

class Shrinker {
 public:
  Shrinker(Difference found, const Trial& trial, Clock::time_point until)
      : best_(std::move(found)), trial_(trial), until_(until) {}

  Difference run() {
    for (std::size_t part = best_.operations.size() / 2; part > 1; part /= 2) leave_out(part);
    do {
      while (leave_out(1)) {
      }
    } while (make_plainer() || trade());
    return best_;
  }

 private:
  [[nodiscard]] bool out_of_time() const { return Clock::now() >= until_; }

  /// Takes over what shows a difference as well; it may end earlier than it was.
  bool try_out(const Operations& shorter) {
    if (out_of_time()) return false;
    auto difference = trial_(shorter);
    if (!difference) return false;
    best_ = std::move(*difference);
    return true;
  }

  /// From the end to the beginning: what comes last depends on what was before.
  bool leave_out(std::size_t part) {
    bool any = false;
    for (std::size_t end = best_.operations.size(); end > 0 && !out_of_time();) {
      const std::size_t first = end - std::min(part, end);
      Operations shorter = best_.operations;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(first),
                    shorter.begin() + static_cast<std::ptrdiff_t>(end));
      any = try_out(shorter) || any;
      end = std::min(first, best_.operations.size());
    }
    return any;
  }

  /// Leaves out one where another can do more instead: what was made plainer may have been too
  /// plain to do without the rest.
  bool trade() {
    constexpr std::size_t kShort = 12; // it takes trials in the square of the length
    constexpr unsigned kMore = 8;
    const Operations all = best_.operations;
    if (all.size() > kShort) return false;
    for (std::size_t out = 0; out < all.size(); ++out) {
      for (std::size_t more = 0; more < all.size(); ++more) {
        if (more == out || all[more].count >= kMore) continue;
        Operations shorter = all;
        shorter[more].count = kMore;
        shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(out));
        if (try_out(shorter)) return true;
      }
    }
    return false;
  }

  static std::vector<Operation> plainer(const Operation& operation) {
    std::vector<Operation> made;
    const auto with = [&](auto member, auto value) {
      Operation changed = operation;
      changed.*member = value;
      // What the dying held is the collector's afterwards.
      if (operation.kind == Kind::kDie) changed.consumer = kCollector;
      if (changed != operation) made.push_back(changed);
    };
    for (const unsigned count : {1u, operation.count / 2, operation.count - 1}) {
      if (count > 0 && count < operation.count) with(&Operation::count, count);
    }
    for (const Kind kind : plainer_kinds(operation.kind)) with(&Operation::kind, kind);
    if (operation.consumer > 0) with(&Operation::consumer, 0u);
    if (operation.queue > 0) with(&Operation::queue, 0u);
    for (const std::uint64_t seed : {0u, 1u, 2u, 3u}) {
      if (seed < operation.seed) with(&Operation::seed, seed);
    }
    return made;
  }

  bool make_plainer() {
    bool any = false;
    for (std::size_t i = 0; i < best_.operations.size() && !out_of_time(); ++i) {
      for (bool again = true; again && i < best_.operations.size();) {
        again = false;
        for (const Operation& operation : plainer(best_.operations[i])) {
          Operations changed = best_.operations;
          changed[i] = operation;
          again = try_out(changed);
          if (again) break;
        }
        any = any || again;
      }
    }
    return any;
  }

  Difference best_;
  const Trial& trial_;
  Clock::time_point until_;
};

} // namespace

Difference shrink(Difference found, const Trial& trial, Clock::time_point until) {
  return Shrinker(std::move(found), trial, until).run();
}

} // namespace swapmq::differential

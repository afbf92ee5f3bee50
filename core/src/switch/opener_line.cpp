// SPDX-License-Identifier: MIT
#include "switch/opener_line.h"

#include <system_error>
#include <utility>

#include "quiet_thread.h"

namespace swapmq::switching {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds first_pause{20};
constexpr milliseconds longest_pause{5000};

} // namespace

OpenerLine::OpenerLine(Open open, std::function<void()> ring)
    : open_(std::move(open)), ring_(std::move(ring)) {}

OpenerLine::~OpenerLine() { stop(); }

void OpenerLine::want(const Member& member) {
  const auto pause = pauses_.find(member.key);
  if (pause != pauses_.end() && steady_clock::now() < pause->second.until) return;
  const Lock lock(mutex_);
  if (attempts_.size() >= max_at_once) return;
  const auto [found, began] = attempts_.try_emplace(member.key, Attempt{member, {}, {}});
  if (!began) return;
  Attempt& attempt = found->second; // stays there until its outcome is taken
  try {
    attempt.thread = quiet_thread([this, &attempt, member] {
      auto outcome = open_(member);
      {
        const Lock ended(mutex_);
        attempt.outcome = std::move(outcome);
      }
      ring_();
    });
  } catch (const std::system_error& problem) {
    attempt.outcome =
        Error(Errc::resource_exhausted, std::string("no thread: ") + problem.what(), true);
  }
}

std::vector<OpenerLine::Opened> OpenerLine::take() {
  std::vector<Attempt> ended;
  {
    const Lock lock(mutex_);
    for (auto it = attempts_.begin(); it != attempts_.end();) {
      const auto next = std::next(it);
      if (it->second.outcome) ended.push_back(std::move(attempts_.extract(it).mapped()));
      it = next;
    }
  }
  std::vector<Opened> all;
  for (Attempt& attempt : ended) {
    if (attempt.thread.joinable()) attempt.thread.join(); // it has no more to do than to ring
    const std::string& key = attempt.member.key;
    if (*attempt.outcome) {
      pauses_.erase(key);
    } else {
      Pause& pause =
          pauses_.try_emplace(key, Pause{queue::Backoff(first_pause, longest_pause)}).first->second;
      pause.until = steady_clock::now() + pause.backoff.next();
    }
    all.push_back({std::move(attempt.member), std::move(*attempt.outcome)});
  }
  return all;
}

void OpenerLine::stop() {
  std::map<std::string, Attempt> last;
  {
    const Lock lock(mutex_);
    for (auto& [key, attempt] : attempts_) last[key].thread = std::move(attempt.thread);
  }
  for (auto& [key, attempt] : last) {
    if (attempt.thread.joinable()) attempt.thread.join();
  }
  const Lock lock(mutex_);
  attempts_.clear(); // with the last of its owners a side is closed
}

} // namespace swapmq::switching

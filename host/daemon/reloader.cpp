// SPDX-License-Identifier: MIT
#include "daemon/reloader.h"

#include <utility>

namespace swapmq::host {

using backend::Lock;

Reloader::Reloader(std::function<Result<ReloadResult>()> reload, Worker& worker)
    : reload_(std::move(reload)), worker_(worker) {}

std::uint64_t Reloader::ask(const std::string& why) {
  const Lock lock(mutex_);
  // Not the one that is under way: it may have read the file already.
  if (wanted_) return begun_ + 1;
  wanted_ = worker_.post([this] { reload(); });
  if (!wanted_) {
    // Only at the end: the worker has room for more than all who may ask.
    keep(++begun_, why, Error(Errc::closed, "this host is ending"));
    return begun_;
  }
  why_ = why;
  return begun_ + 1;
}

Reloaded Reloader::last() const {
  const Lock lock(mutex_);
  return ended_.empty() ? Reloaded() : ended_.back();
}

std::vector<Reloaded> Reloader::after(std::uint64_t number) const {
  std::vector<Reloaded> later;
  const Lock lock(mutex_);
  for (const Reloaded& one : ended_) {
    if (one.number > number) later.push_back(one);
  }
  return later;
}

bool Reloader::busy() const {
  const Lock lock(mutex_);
  return wanted_ || begun_ > (ended_.empty() ? 0 : ended_.back().number);
}

void Reloader::reload() {
  std::string why;
  std::uint64_t number = 0;
  {
    const Lock lock(mutex_);
    wanted_ = false;
    number = ++begun_;
    why = std::move(why_);
  }
  Result<ReloadResult> reloaded = reload_();
  const Lock lock(mutex_);
  keep(number, std::move(why), std::move(reloaded));
}

void Reloader::keep(std::uint64_t number, std::string why, Result<ReloadResult> reloaded) {
  Reloaded one{number, std::move(why), std::chrono::system_clock::now(), reloaded.error(), {}};
  if (reloaded) one.result = std::move(*reloaded);
  ended_.push_back(std::move(one));
  if (ended_.size() > most_kept) ended_.pop_front();
}

} // namespace swapmq::host

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
    last_.error = Error(Errc::closed, "this host is ending");
    return last_.number;
  }
  why_ = why;
  return begun_ + 1;
}

Reloaded Reloader::last() const {
  const Lock lock(mutex_);
  return last_;
}

bool Reloader::busy() const {
  const Lock lock(mutex_);
  return wanted_ || begun_ > last_.number;
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
  keep(number, std::move(why), reload_());
}

void Reloader::keep(std::uint64_t number, std::string why, Result<ReloadResult> reloaded) {
  const Lock lock(mutex_);
  last_.number = number;
  last_.why = std::move(why);
  last_.when = std::chrono::system_clock::now();
  last_.error = reloaded.error();
  last_.result = reloaded ? std::move(*reloaded) : ReloadResult();
}

} // namespace swapmq::host

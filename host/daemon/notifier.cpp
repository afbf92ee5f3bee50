// SPDX-License-Identifier: MIT
#include "daemon/notifier.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

namespace swapmq::host {
namespace {

void tell(const std::string& text) { (void)::sd_notify(0, text.c_str()); }

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

} // namespace

Notifier::Notifier() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) > 0) {
    period_ = std::chrono::microseconds(microseconds / 2);
  }
}

void Notifier::ready(const std::string& status) {
  told_ = one_line(status);
  tell("READY=1\nSTATUS=" + told_);
}

void Notifier::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void Notifier::stopping() { tell("STOPPING=1\nSTATUS=draining"); }

void Notifier::status(const std::string& text) {
  std::string line = one_line(text);
  if (line == told_) return;
  told_ = std::move(line);
  tell("STATUS=" + told_);
}

void Notifier::alive() { tell("WATCHDOG=1"); }

} // namespace swapmq::host

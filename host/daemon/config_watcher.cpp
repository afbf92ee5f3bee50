// SPDX-License-Identifier: MIT
#include "daemon/config_watcher.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace swapmq::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t of_folder = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// Not of the folder: what else is written there (a database, say) should not wake us.
constexpr std::uint32_t of_file = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF;
/// As many links as the kernel follows.
constexpr int most_links = 40;

/// A folder, and the name in it that decides where a path leads.
using Place = std::pair<std::string, std::string>;

/// Replaces the first link on the path by what it points at. False: there is none.
bool follow_first_link(fs::path& path, std::vector<Place>& places) {
  std::error_code error;
  const fs::path parts = path.relative_path();
  fs::path at = path.root_path();
  for (auto part = parts.begin(); part != parts.end(); at /= *part++) {
    if (!fs::is_symlink(at / *part, error)) continue;
    places.emplace_back(at.string(), part->string());
    fs::path target = at / fs::read_symlink(at / *part, error); // an absolute one replaces `at`
    for (auto left = std::next(part); left != parts.end(); ++left) target /= *left;
    path = target.lexically_normal();
    return true;
  }
  return false;
}

/// Every folder in which a name stands that the path depends on and that is likely to be replaced:
/// the file, and the links on the way to it. (That the folder itself is, it says of itself.)
std::vector<Place> places_of(const std::string& path) {
  std::vector<Place> places;
  std::error_code error;
  fs::path rest = fs::absolute(path, error);
  for (int links = 0; links < most_links && follow_first_link(rest, places);) ++links;
  places.emplace_back(rest.parent_path().string(), rest.filename().string());
  return places;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

ConfigWatcher::ConfigWatcher(std::string path, Clock::time_point now,
                             std::chrono::milliseconds period)
    : path_(std::move(path)),
      period_(period),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      next_look_(now + period) {
  watch_all();
  seen_ = mark();
}

std::optional<ConfigWatcher::Mark> ConfigWatcher::mark() const {
  struct stat about {};
  if (::stat(path_.c_str(), &about) != 0) return std::nullopt;
  return Mark{about.st_dev, about.st_ino, about.st_size, nanoseconds(about.st_mtim),
              nanoseconds(about.st_ctim)};
}

void ConfigWatcher::watch(const std::string& path, std::uint32_t events, const std::string& name) {
  // Of a folder that is watched already this is the same watch again.
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events);
  if (watch >= 0) watched_[watch].insert(name);
}

/// Anew each time: what a path leads through may have changed with any event.
void ConfigWatcher::watch_all() {
  if (!inotify_) return;
  std::map<int, std::set<std::string>> before = std::exchange(watched_, {});
  for (const auto& [folder, name] : places_of(path_)) watch(folder, of_folder, name);
  watch(path_, of_file, "");
  for (const auto& [watch, names] : before) {
    if (!watched_.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
  }
}

/// Whether any of them concerns the file.
bool ConfigWatcher::take_events() {
  if (!inotify_) return false;
  alignas(inotify_event) std::array<char, 8192> buffer{};
  bool any = false;
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const name = buffer.data() + at + sizeof event;
      const bool of_itself = event.len == 0;
      const auto found = watched_.find(event.wd);
      if ((event.mask & IN_Q_OVERFLOW) != 0) any = true;
      if (found != watched_.end() && (of_itself || found->second.contains(name))) any = true;
      at += sizeof event + event.len;
    }
  }
  return any;
}

ConfigWatcher::Clock::time_point ConfigWatcher::due() const {
  if (!first_) return next_look_;
  return std::min({*last_ + quiet_time, *first_ + most_patience, next_look_});
}

bool ConfigWatcher::look(Clock::time_point now) {
  const bool happened = take_events();
  const bool time_to_look = now >= next_look_;
  if (time_to_look) next_look_ = now + period_;
  if (happened || time_to_look) watch_all();
  // Where only the clock told us to look, the file itself must be another one.
  if (happened || (time_to_look && !first_ && mark() != seen_)) {
    if (!first_) first_ = now;
    last_ = now;
  }
  if (!first_ || (now < *last_ + quiet_time && now < *first_ + most_patience)) return false;
  const auto found = mark();
  if (!found && seen_) {
    if (!away_since_) away_since_ = now;
    if (now < *away_since_ + away_time) {
      first_ = last_ = now; // replaced, perhaps: the new one is not there yet
      return false;
    }
  }
  away_since_.reset();
  first_.reset();
  last_.reset();
  if (!found && !seen_) return false; // it is still away, which was told
  seen_ = found;
  return true;
}

} // namespace swapmq::host

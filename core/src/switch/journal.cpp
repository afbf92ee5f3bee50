// SPDX-License-Identifier: MIT
#include "switch/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <span>
#include <utility>

#include "config/redact.h"
#include "failpoint.h"
#include "plugin/sha256.h"
#include "switch/durable_file.h"

namespace swapmq::switching {
namespace {

constexpr const char* journal_name = "journal";
constexpr std::size_t max_journal_bytes = std::size_t{2} << 20;
constexpr std::size_t max_options_bytes = std::size_t{1} << 20;

std::string digest(std::string_view line) {
  return "sha256 " + plugin::sha256_hex(std::as_bytes(std::span(line)));
}

std::string options_file(const std::string& member) { return "options-" + member + ".json"; }

/// UTC, fit for a file's name.
std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return {text, length};
}

/// Who holds the lock, if it says so.
std::string holder(int lock) {
  char text[32];
  const ssize_t length = ::pread(lock, text, sizeof text, 0);
  std::string pid(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "another process" : "process " + pid;
}

Result<plugin::UniqueFd> take_lock(const std::string& folder) {
  const std::string path = folder + "/lock";
  plugin::UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return Error(Errc::access_denied, path + ": " + std::strerror(errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error(Errc::unavailable, path + ": " + std::strerror(errno));
    return Error(Errc::conflict, "state_dir " + folder + ": " + holder(lock.get()) +
                                     " uses it; each host needs a folder of its own");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) {
    return Error(Errc::unavailable, path + ": " + std::strerror(errno));
  }
  return lock;
}

} // namespace

Journal::Journal(std::string folder, plugin::UniqueFd lock)
    : folder_(std::move(folder)), lock_(std::move(lock)) {}

std::unique_ptr<Journal> Journal::in_memory() {
  return std::unique_ptr<Journal>(new Journal({}, {}));
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& folder) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (!error && made) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  if (error) return Error(Errc::access_denied, "state_dir " + folder + ": " + error.message());
  auto lock = take_lock(folder);
  if (!lock) return lock.error();
  std::unique_ptr<Journal> journal(new Journal(folder, std::move(*lock)));
  if (Error failed = journal->load()) return failed;
  return journal;
}

Error Journal::load() {
  auto content = read_file(folder_, journal_name, max_journal_bytes);
  if (!content) {
    if (content.error().code() != Errc::corrupt) return content.error();
    return put_aside(content.error().message());
  }
  if (!*content) return {};
  const std::string& text = **content;
  const std::size_t end = text.find('\n');
  if (end == std::string::npos || text.substr(end + 1) != digest(text.substr(0, end)) + "\n") {
    return put_aside("its digest does not fit");
  }
  auto record = record_from(std::string_view(text).substr(0, end));
  if (!record) return put_aside(record.error().message());
  const Lock lock(mutex_);
  record_ = std::move(*record);
  return {};
}

Error Journal::put_aside(const std::string& why) {
  const std::string name = std::string(journal_name) + ".damaged-" + time_text();
  if (Error error = rename_file(folder_, journal_name, name)) return error;
  set_aside_ = "the journal in " + folder_ + " is damaged (" + why + ") and was set aside as " +
               name + "; every backend that the config lists is consumed from instead";
  return {};
}

bool Journal::fresh() const {
  const Lock lock(mutex_);
  return record_.generation == 0;
}

Record Journal::read() const {
  const Lock lock(mutex_);
  return record_;
}

Error Journal::write(const Record& record) {
  if (folder_.empty()) return {};
  Failpoints::reach("journal to be written");
  const std::string line = to_json(record);
  Error error = replace_file(folder_, journal_name, line + "\n" + digest(line) + "\n");
  if (!error) Failpoints::reach("journal written");
  return error;
}

Error Journal::change(const std::function<void(Record&)>& what) {
  const Lock lock(mutex_);
  return change_locked(what);
}

Error Journal::change_locked(const std::function<void(Record&)>& what) {
  Record changed = record_;
  what(changed);
  ++changed.generation;
  if (Error error = write(changed)) return error;
  record_ = std::move(changed);
  return {};
}

Result<Record::Opened> Journal::keep_options(const Member& member) {
  Record::Opened opened{member.name, config::redact_json(member.options)};
  opened.secret = opened.options != member.options;
  const Lock lock(mutex_);
  if (!folder_.empty() && opened.secret) {
    if (Error error = replace_file(folder_, options_file(member.key), member.options)) return error;
  }
  options_[member.key] = member.options;
  return opened;
}

Result<Member> Journal::member(const std::string& key) const {
  const Lock lock(mutex_);
  const auto known = record_.members.find(key);
  if (known == record_.members.end()) {
    return Error(Errc::not_found, "the journal knows no backend " + key);
  }
  Member member{key, known->second.name, known->second.options};
  if (const auto kept = options_.find(key); kept != options_.end()) {
    member.options = kept->second;
    return member;
  }
  if (folder_.empty() || !known->second.secret) return member;
  auto whole = read_file(folder_, options_file(key), max_options_bytes);
  if (!whole) return whole.error();
  if (!*whole) {
    return Error(Errc::not_found, folder_ + "/" + options_file(key) +
                                      " is missing, and with it the secrets of " + member.name +
                                      "; put its section back into the config");
  }
  member.options = std::move(**whole);
  return member;
}

Error Journal::add_queue(std::string_view queue) {
  std::string name(queue);
  const Lock lock(mutex_);
  if (record_.more_queues || record_.queues.contains(name)) return {};
  return change_locked([&](Record& record) {
    if (record.queues.size() < Record::max_queues) {
      record.queues.insert(std::move(name));
    } else {
      record.more_queues = true;
    }
  });
}

} // namespace swapmq::switching

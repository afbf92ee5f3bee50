// SPDX-License-Identifier: MIT
//
// What a host must still know after a crash: where publishes go, which backends are owed something,
// which queues there are. Written before each step that it describes is taken. In state_dir:
//
//   lock                   held while the host lives; two hosts do not share a folder
//   journal                the record as one line of JSON, and its digest as another
//   options-MEMBER.json    the options of a backend that have a secret, for the owner only
//   journal.damaged-TIME   one that could not be read: set aside, never guessed at
//
// Without a folder it lives in memory: everything works, but a crash forgets it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plugin/unique_fd.h"
#include "switch/member.h"
#include "switch/record.h"
#include "thread_safety.h"

namespace swapmq::switching {

/// Any thread. What writes blocks for the disk, and others with it.
class Journal {
 public:
  static std::unique_ptr<Journal> in_memory();
  /// Makes the folder if it is missing. Errors: conflict, another process holds the folder;
  /// access_denied or unavailable, it cannot be used.
  static Result<std::unique_ptr<Journal>> open(const std::string& folder);

  /// What became of a journal that was damaged, as a line for the log; empty: there was none.
  [[nodiscard]] const std::string& set_aside() const { return set_aside_; }
  /// Nothing was ever written, or it was set aside.
  [[nodiscard]] bool fresh() const SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] bool durable() const { return !folder_.empty(); }
  [[nodiscard]] Record read() const SWAPMQ_EXCLUDES(mutex_);

  /// Writes the changed record; if that fails, nothing has changed.
  Error change(const std::function<void(Record&)>& what) SWAPMQ_EXCLUDES(mutex_);
  /// Keeps the options of a member, and returns what the record is to say of it.
  Result<Record::Opened> keep_options(const Member& member) SWAPMQ_EXCLUDES(mutex_);
  /// What is known of a member of the record, secrets included.
  Result<Member> member(const std::string& key) const SWAPMQ_EXCLUDES(mutex_);
  /// Writes the queue's name before its first use; at once if it is known, or one too many to be.
  Error add_queue(std::string_view queue) SWAPMQ_EXCLUDES(mutex_);

 private:
  Journal(std::string folder, plugin::UniqueFd lock);
  Error load() SWAPMQ_EXCLUDES(mutex_);
  Error put_aside(const std::string& why);
  Error change_locked(const std::function<void(Record&)>& what) SWAPMQ_REQUIRES(mutex_);
  Error write(const Record& record) SWAPMQ_REQUIRES(mutex_);

  const std::string folder_; ///< empty: in memory
  const plugin::UniqueFd lock_;
  std::string set_aside_;
  mutable Mutex mutex_;
  Record record_ SWAPMQ_GUARDED_BY(mutex_);
  std::map<std::string, std::string> options_ SWAPMQ_GUARDED_BY(mutex_); ///< whole, by member
};

} // namespace swapmq::switching

// SPDX-License-Identifier: MIT
//
// One connection to the database file, its prepared statements and its transactions. Errors of
// SQLite leave as Failure; SQLITE_BUSY never does: it is waited out, or ends as TIMEOUT.
//
// Thread safety: none; a connection belongs to one session.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "options.hpp"
#include "shared_file.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

class Database {
 public:
  using TimePoint = backend::Deadline::Clock::time_point;

  /// Opens the file and sets up the connection; the schema is another's business.
  Database(std::shared_ptr<SharedFile> file, const Options& options, backend::Deadline deadline);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Every call of the host begins with it: the waits of what follows end at the deadline.
  void begin_call(backend::Deadline deadline);
  /// Waits for other writers at least this long, however near the deadline is.
  void grant(std::chrono::milliseconds grace);
  [[nodiscard]] TimePoint patience() const { return patience_; }
  [[nodiscard]] bool deadline_passed() const {
    return backend::Deadline::Clock::now() >= deadline_;
  }

  void execute(const std::string& sql);
  /// Like execute(), but also waits out the kinds of SQLITE_BUSY that skip SQLite's busy handler.
  void execute_patiently(const std::string& sql);
  /// Ends statements that are still running at the deadline of the call with TIMEOUT.
  void stop_at_deadline(bool on);
  /// Whether the next commit waits for the disk, as far as the option `synchronous` asks for it.
  void set_durable(bool durable);
  /// Whether commits through a rollback journal also wait for its removal to be durable.
  void sync_folders(bool on);

  [[nodiscard]] int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  [[nodiscard]] SharedFile& file() const { return *file_; }
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

  /// The prepared statement of a static text, compiled once per connection.
  sqlite3_stmt* prepared(const char* sql);
  /// The Failure for an error code of SQLite that came while `doing`.
  [[nodiscard]] backend::Failure failure(int code, std::string_view doing) const;

 private:
  struct CloseHandle {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  [[nodiscard]] backend::Failure failure_to_compile(int code) const;
  static int on_busy(void* self, int attempt);
  static int on_progress(void* self);
  bool wait_while_busy();

  std::shared_ptr<SharedFile> file_;
  Synchronous synchronous_;
  std::chrono::milliseconds busy_timeout_;
  TimePoint deadline_;
  TimePoint patience_;
  bool durable_ = true;
  std::minstd_rand jitter_;
  std::unique_ptr<sqlite3, CloseHandle> handle_;
  // Keyed by address: the texts are static.
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

/// One use of a prepared statement: bind, step, read; reset when it goes out of scope. A text may
/// be in use once at a time. Bound views are borrowed until rewind() or the end.
class Query {
 public:
  Query(Database& database, const char* sql)
      : database_(database), statement_(database.prepared(sql)) {}
  ~Query() { sqlite3_reset(statement_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(int64_t value);
  Query& bind(std::string_view blob);
  Query& bind_null();

  /// True while there is a row.
  bool step();
  /// Runs a statement that gives no rows, and makes it ready for other values.
  void run();
  void rewind();

  [[nodiscard]] int64_t integer(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  /// Valid until the next step.
  [[nodiscard]] std::string_view blob(int column) const;

 private:
  void check(int code) const;

  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// A commit that did not succeed.
class CommitFailure : public backend::Failure {
 public:
  CommitFailure(const backend::Failure& why, bool in_doubt)
      : Failure(why.status(), why.what(), why.flags(), why.retry_after_ms()), in_doubt_(in_doubt) {}
  /// False: rolled back for certain.
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }

 private:
  bool in_doubt_;
};

/// The right to write: from the gate to the commit; rolled back unless committed.
class WriteTransaction {
 public:
  /// Waits for its turn until the database's patience ends. A transaction that is not durable may
  /// be undone by a loss of power: right for what a loss of power undoes anyway, such as a claim.
  explicit WriteTransaction(Database& database, bool durable = true);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  /// Wakes who waits on the queue, once this is committed.
  void wake_later(std::string_view queue_name);
  /// Throws CommitFailure.
  void commit();

 private:
  void roll_back() noexcept;
  void leave();

  Database& database_;
  bool open_ = false;
  std::vector<uint32_t> slots_;
};

/// A consistent view of several reads.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database& database);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Database& database_;
};

/// While it lives, statements of the connection end at the deadline of the call.
class Stoppable {
 public:
  explicit Stoppable(Database& database) : database_(database) { database_.stop_at_deadline(true); }
  ~Stoppable() { database_.stop_at_deadline(false); }
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;

 private:
  Database& database_;
};

} // namespace swapmq::sqlite

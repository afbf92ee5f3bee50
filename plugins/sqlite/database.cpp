// SPDX-License-Identifier: MIT
#include "database.hpp"

#include <algorithm>
#include <utility>

namespace swapmq::sqlite {
namespace {

using backend::Failure;
using Clock = backend::Deadline::Clock;

// Pages in the log before a commit moves them into the database: 16 MiB of 4 KiB pages. Fewer means
// more often, and each time costs two syncs.
constexpr const char* kSettings =
    "PRAGMA wal_autocheckpoint = 4000;"
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -4096;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA secure_delete = OFF;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA foreign_keys = OFF;"
    "PRAGMA recursive_triggers = OFF;";
constexpr int kProgressSteps = 10'000;

swapmq_status status_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return SWAPMQ_RESOURCE_EXHAUSTED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return SWAPMQ_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return SWAPMQ_ACCESS_DENIED;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_BUSY:
      return SWAPMQ_UNAVAILABLE;
    case SQLITE_TOOBIG:
      return SWAPMQ_TOO_LARGE;
    default:
      return SWAPMQ_INTERNAL;
  }
}

const char* advice(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "; make room on the disk";
    case SQLITE_CORRUPT:
      return "; nothing is served from it: move it away, then restore a backup or salvage it with "
             "`sqlite3 FILE .recover`";
    case SQLITE_NOTADB:
      return "; \"path\" must name a database of swapmq, or a new file";
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return "; the file and its folder must be readable and writable";
    case SQLITE_IOERR:
      return "; look at the disk and its file system";
    default:
      return "";
  }
}

} // namespace

Database::Database(std::shared_ptr<SharedFile> file, const Options& options,
                   backend::Deadline deadline)
    : file_(std::move(file)),
      synchronous_(options.synchronous),
      busy_timeout_(options.busy_timeout),
      jitter_(static_cast<std::minstd_rand::result_type>(
          reinterpret_cast<std::uintptr_t>(this) ^
          static_cast<std::uintptr_t>(Clock::now().time_since_epoch().count()))) {
  begin_call(deadline);
  file_->check_in_place();
  sqlite3* opened = nullptr;
  // One thread at a time uses a session, so the connection needs no mutex of its own.
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file_->path().c_str(), &opened, kFlags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) throw failure(code, "opening it");
  sqlite3_busy_handler(handle_.get(), &Database::on_busy, this);
  execute(kSettings);
  execute("PRAGMA synchronous = " + std::to_string(static_cast<int>(synchronous_)));
}

void Database::begin_call(backend::Deadline deadline) {
  deadline_ = deadline.at();
  patience_ = std::min(deadline_, Clock::now() + busy_timeout_);
}

void Database::grant(std::chrono::milliseconds grace) {
  patience_ = std::max(patience_, Clock::now() + grace);
}

Failure Database::failure(int code, std::string_view doing) const {
  const std::string where = file_->path() + ": " + std::string(doing) + ": ";
  if ((code & 0xff) == SQLITE_INTERRUPT) {
    return {SWAPMQ_TIMEOUT, where + "the deadline passed before it was done; nothing was changed",
            SWAPMQ_ERROR_RETRYABLE};
  }
  if ((code & 0xff) == SQLITE_BUSY) {
    const bool late = Clock::now() >= deadline_;
    return {late ? SWAPMQ_TIMEOUT : SWAPMQ_UNAVAILABLE,
            where + (late ? "the deadline passed before the file was free to write"
                          : "another program held the file for longer than busy_timeout_ms"),
            SWAPMQ_ERROR_RETRYABLE};
  }
  const swapmq_status status = status_of(code);
  const bool again = status == SWAPMQ_RESOURCE_EXHAUSTED || status == SWAPMQ_UNAVAILABLE;
  std::string text = where + sqlite3_errstr(code & 0xff);
  if (code != (code & 0xff)) text += " (SQLite code " + std::to_string(code) + ")";
  // What SQLite says of this connection is of more use where its own code is a general one.
  if (status == SWAPMQ_INTERNAL && handle_ != nullptr) {
    text += std::string(": ") + sqlite3_errmsg(handle_.get());
  }
  return {status, text + advice(code), again ? SWAPMQ_ERROR_RETRYABLE : 0u};
}

Failure Database::failure_to_compile(int code) const {
  if (code != SQLITE_ERROR) return failure(code, "reading its schema");
  // Our texts are right, so it is the schema in the file that is wrong.
  return failure(SQLITE_CORRUPT,
                 std::string("reading its schema: ") + sqlite3_errmsg(handle_.get()));
}

bool Database::wait_while_busy() {
  const auto left = patience_ - Clock::now();
  if (left <= Clock::duration::zero()) return false;
  // Woken by whoever leaves; the bound is for those who left without a word (killed, or not us).
  const std::chrono::microseconds most(1000 + static_cast<int64_t>(jitter_() % 4000));
  file_->peers().wait_for_writer(
      std::min(most, std::chrono::ceil<std::chrono::microseconds>(left)));
  return true;
}

int Database::on_busy(void* self, int attempt) {
  // The first failure may only say that a snapshot was stale: try again at once.
  if (attempt == 0) return 1;
  return static_cast<Database*>(self)->wait_while_busy() ? 1 : 0;
}

int Database::on_progress(void* self) {
  return Clock::now() >= static_cast<Database*>(self)->deadline_ ? 1 : 0;
}

void Database::stop_at_deadline(bool on) {
  sqlite3_progress_handler(handle_.get(), on ? kProgressSteps : 0,
                           on ? &Database::on_progress : nullptr, this);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw failure_to_compile(code);
}

void Database::execute_patiently(const std::string& sql) {
  for (;;) {
    const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return;
    if ((code & 0xff) != SQLITE_BUSY || !wait_while_busy()) {
      throw failure_to_compile(code);
    }
  }
}

void Database::set_durable(bool durable) {
  if (durable == durable_ || synchronous_ != Synchronous::kFull) return;
  execute(durable ? "PRAGMA synchronous = 2" : "PRAGMA synchronous = 1");
  durable_ = durable;
}

void Database::sync_folders(bool on) {
  if (synchronous_ != Synchronous::kFull) return;
  execute(on ? "PRAGMA synchronous = EXTRA" : "PRAGMA synchronous = FULL");
}

sqlite3_stmt* Database::prepared(const char* sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr) {
    sqlite3_stmt* made = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) throw failure_to_compile(code);
    statement.reset(made);
  }
  return statement.get();
}

// ---- Query --------------------------------------------------------------------------------------

void Query::check(int code) const {
  if (code != SQLITE_OK) throw database_.failure(code, "binding a value");
}

Query& Query::bind(int64_t value) {
  check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

Query& Query::bind(std::string_view blob) {
  // A null pointer would bind NULL, which is not an empty blob.
  const char* data = blob.data() != nullptr ? blob.data() : "";
  check(sqlite3_bind_blob64(statement_, ++bound_, data, blob.size(), SQLITE_STATIC));
  return *this;
}

Query& Query::bind_null() {
  check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw database_.failure(code, "reading or writing it");
}

void Query::run() {
  while (step()) {
  }
  rewind();
}

void Query::rewind() {
  sqlite3_reset(statement_);
  bound_ = 0;
}

std::string_view Query::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  // Out of memory looks like an empty value: that must not be taken for the message.
  if (data == nullptr && size == 0 && sqlite3_errcode(database_.handle()) == SQLITE_NOMEM) {
    throw database_.failure(SQLITE_NOMEM, "reading a value");
  }
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

// ---- transactions -------------------------------------------------------------------------------

WriteTransaction::WriteTransaction(Database& database, bool durable) : database_(database) {
  SharedFile& file = database.file();
  file.check_in_place();
  if (!file.gate().enter(database.patience())) throw database.failure(SQLITE_BUSY, "writing");
  try {
    roll_back(); // what an earlier failure may have left
    database.set_durable(durable);
    file.give_way();
    Query(database, "BEGIN IMMEDIATE").run();
    open_ = true;
  } catch (...) {
    leave();
    throw;
  }
}

WriteTransaction::~WriteTransaction() {
  if (!open_) return;
  roll_back();
  leave();
}

void WriteTransaction::wake_later(std::string_view queue_name) {
  const uint32_t slot = Peers::slot_of(queue_name);
  if (std::find(slots_.begin(), slots_.end(), slot) == slots_.end()) slots_.push_back(slot);
}

void WriteTransaction::roll_back() noexcept {
  // Some errors roll back by themselves. A rollback that fails leaves the transaction to the close
  // of the connection, and the error that led here says what is wrong.
  if (sqlite3_get_autocommit(database_.handle()) == 0) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void WriteTransaction::leave() {
  open_ = false;
  if (database_.file().peers().writer_left()) database_.file().owe_way();
  database_.file().gate().leave();
}

void WriteTransaction::commit() {
  sqlite3_stmt* statement = database_.prepared("COMMIT");
  const int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  if (code == SQLITE_DONE) {
    leave();
    for (const uint32_t slot : slots_) database_.file().peers().wake(slot);
    return;
  }
  const Failure why = database_.failure(code, "committing");
  roll_back();
  leave();
  // The mark that commits is the last thing written, so a write that found no room, or never
  // began, committed nothing. After any other error the mark may be on the disk and come to light
  // when the log is next recovered.
  const int kind = code & 0xff;
  const bool certain = kind == SQLITE_FULL || kind == SQLITE_BUSY || kind == SQLITE_CONSTRAINT;
  throw CommitFailure(why, !certain);
}

ReadTransaction::ReadTransaction(Database& database) : database_(database) {
  Query(database, "BEGIN").run();
}

ReadTransaction::~ReadTransaction() {
  if (sqlite3_get_autocommit(database_.handle()) == 0) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

} // namespace swapmq::sqlite

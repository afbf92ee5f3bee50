// SPDX-License-Identifier: MIT
#include <sqlite3.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "contenders.h"

namespace bench {
namespace {

/// The least that keeps a queue in SQLite: insert; read in order, delete.
class RawSqlite final : public Contender {
 public:
  explicit RawSqlite(const std::string& folder) {
    check(sqlite3_open((folder + "/raw.db").c_str(), &database_));
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE message(id INTEGER PRIMARY KEY, body BLOB)");
    check(sqlite3_prepare_v2(database_, "INSERT INTO message(body) VALUES(?)", -1, &insert_,
                             nullptr));
    check(sqlite3_prepare_v2(database_, "SELECT id, body FROM message ORDER BY id LIMIT ?", -1,
                             &select_, nullptr));
    check(
        sqlite3_prepare_v2(database_, "DELETE FROM message WHERE id <= ?", -1, &remove_, nullptr));
  }
  ~RawSqlite() override {
    for (sqlite3_stmt* statement : {insert_, select_, remove_}) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;

  void publish(std::size_t count, std::size_t batch, std::size_t threads) override {
    on_threads(count, threads, [&](std::size_t share) {
      for (std::size_t done = 0; done < share; done += batch) {
        const std::lock_guard lock(mutex_);
        run("BEGIN IMMEDIATE");
        for (std::size_t i = done; i < std::min(done + batch, share); ++i) {
          sqlite3_bind_blob(insert_, 1, body().data(), static_cast<int>(body().size()),
                            SQLITE_STATIC);
          if (sqlite3_step(insert_) != SQLITE_DONE) fail();
          sqlite3_reset(insert_);
        }
        run("COMMIT");
      }
    });
  }

  void consume(std::size_t count, std::size_t batch, Consuming /*how*/) override {
    for (std::size_t done = 0; done < count;) {
      sqlite3_bind_int64(select_, 1, static_cast<sqlite3_int64>(std::min(batch, count - done)));
      sqlite3_int64 last = 0;
      std::size_t read = 0;
      while (sqlite3_step(select_) == SQLITE_ROW) {
        last = sqlite3_column_int64(select_, 0);
        const std::string copy(static_cast<const char*>(sqlite3_column_blob(select_, 1)),
                               static_cast<std::size_t>(sqlite3_column_bytes(select_, 1)));
        read += copy.size() == body().size() ? 1 : 0;
      }
      sqlite3_reset(select_);
      if (read == 0) throw std::runtime_error("the table is empty too soon");
      run("BEGIN IMMEDIATE");
      sqlite3_bind_int64(remove_, 1, last);
      if (sqlite3_step(remove_) != SQLITE_DONE) fail();
      sqlite3_reset(remove_);
      run("COMMIT");
      done += read;
    }
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(sqlite3_errmsg(database_)); }
  void check(int code) const {
    if (code != SQLITE_OK) fail();
  }
  void run(const char* sql) const {
    check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
  }

  std::mutex mutex_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt *insert_ = nullptr, *select_ = nullptr, *remove_ = nullptr;
};

} // namespace

std::unique_ptr<Contender> raw_sqlite(const std::string& folder) {
  return std::make_unique<RawSqlite>(folder);
}

} // namespace bench

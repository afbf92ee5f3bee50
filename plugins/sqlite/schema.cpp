// SPDX-License-Identifier: MIT
#include "schema.hpp"

#include <array>
#include <string>
#include <string_view>

#include "lanes.hpp"

namespace swapmq::sqlite {
namespace {

using backend::Failure;

// A message is written once and deleted once; all that changes about it lives in narrow tables.
constexpr std::array kTables = {
    "CREATE TABLE queues(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, "
    "max_length INTEGER NOT NULL, created_ms INTEGER NOT NULL)",
    "CREATE TABLE lanes(lane INTEGER PRIMARY KEY, next INTEGER NOT NULL, taken INTEGER NOT NULL, "
    "fresh INTEGER NOT NULL, again INTEGER NOT NULL, delayed INTEGER NOT NULL, "
    "unacked INTEGER NOT NULL)",
    "CREATE TABLE messages(key INTEGER PRIMARY KEY, id BLOB NOT NULL, sent_ms INTEGER NOT NULL, "
    "expires_ms INTEGER, extra BLOB, checksum INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE parked(key INTEGER PRIMARY KEY, place INTEGER NOT NULL, lane INTEGER NOT NULL, "
    "state INTEGER NOT NULL, due_ms INTEGER NOT NULL, counted INTEGER NOT NULL, "
    "handed INTEGER NOT NULL, claim INTEGER NOT NULL)",
    "CREATE INDEX parked_ready ON parked(place) WHERE state = 0",
    "CREATE INDEX parked_due ON parked(lane, due_ms) WHERE state = 1",
    "CREATE INDEX parked_claim ON parked(claim) WHERE state = 2",
    "CREATE TABLE expiry(lane INTEGER NOT NULL, expires_ms INTEGER NOT NULL, key INTEGER NOT NULL, "
    "PRIMARY KEY(lane, expires_ms, key)) WITHOUT ROWID",
    "CREATE TABLE claims(id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, first INTEGER NOT NULL, "
    "last INTEGER NOT NULL, held INTEGER NOT NULL, parked INTEGER NOT NULL)",
    "CREATE TABLE consumers(id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL, "
    "lease_ms INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL)",
    "CREATE TABLE owners(id INTEGER PRIMARY KEY, boot BLOB NOT NULL, "
    "peers_file INTEGER NOT NULL)",
};

// A file up to this size is checked whole at open (some milliseconds); in a larger one damage is
// found where it is met: by SQLite in the pages it reads, by the checksum in each message.
constexpr int64_t kPagesCheckedWhole = 1024;

int64_t single(Database& database, const char* sql) {
  Query query(database, sql);
  return query.step() ? query.integer(0) : 0;
}

void refuse_if_foreign(Database& database) {
  const std::string& path = database.file().path();
  // One look at all three: another process may be making the file right now.
  const ReadTransaction at_one_moment(database);
  const int64_t application = single(database, "PRAGMA application_id");
  const int64_t version = single(database, "PRAGMA user_version");
  const int64_t tables = single(database, "SELECT count(*) FROM sqlite_master");
  if (application == 0 && version == 0 && tables == 0) return; // new and empty
  if (application != kApplicationId) {
    throw Failure(SWAPMQ_CONFLICT, path +
                                       ": is a database of another program; give swapmq a file of "
                                       "its own in \"path\"");
  }
  if (version != kSchemaVersion) {
    throw Failure(SWAPMQ_CONFLICT,
                  path + ": has schema version " + std::to_string(version) +
                      ", this plugin knows version " + std::to_string(kSchemaVersion) +
                      "; open it with the plugin that made it, or name another file in \"path\"");
  }
}

void create(Database& database) {
  // The journal mode is kept in the file; changing it takes the file for oneself for a moment.
  // That step still goes through a rollback journal; unless its removal is durable, a loss of power
  // brings it back and it undoes the step, and with it all that the log holds by then.
  database.sync_folders(true);
  database.execute_patiently("PRAGMA journal_mode = WAL");
  database.sync_folders(false);
  WriteTransaction transaction(database);
  // Another process may have been quicker.
  if (single(database, "PRAGMA application_id") == kApplicationId) return;
  for (const char* sql : kTables) database.execute(sql);
  database.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
  database.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion));
  transaction.commit();
}

void check(Database& database) {
  std::size_t found = 0;
  {
    Query query(database, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL");
    while (query.step()) {
      const std::string_view sql = query.blob(0);
      for (const char* table : kTables) found += sql == table ? 1 : 0;
    }
  }
  if (found != kTables.size())
    throw contradiction(database, "its tables are not those of version 1");
  if (single(database, "PRAGMA page_count") > kPagesCheckedWhole) return;
  Query query(database, "PRAGMA quick_check(1)");
  if (query.step() && query.blob(0) != "ok")
    throw contradiction(database, std::string(query.blob(0)));
}

} // namespace

void prepare_schema(Database& database) {
  refuse_if_foreign(database);
  if (single(database, "PRAGMA application_id") != kApplicationId) create(database);
  refuse_if_foreign(database);
  check(database);
}

} // namespace swapmq::sqlite

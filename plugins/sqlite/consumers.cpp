// SPDX-License-Identifier: MIT
#include "consumers.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "claims.hpp"
#include "keys.hpp"

namespace swapmq::sqlite {
namespace {

using backend::Failure;

struct Dead {
  std::vector<int64_t> consumers; // whose claims come back counted
  std::vector<int64_t> owners;
  std::vector<int64_t> orphans; // closed without having reached the file: not counted
  [[nodiscard]] bool none() const { return consumers.empty() && owners.empty() && orphans.empty(); }
};

enum class Life { kAlive, kDead, kUnknown };

Life life_of_owner(const SharedFile& file, int64_t owner, std::string_view boot,
                   int64_t peers_file) {
  if (owner == file.owner()) return Life::kAlive;
  if (boot_id().empty() || boot.empty()) return Life::kUnknown;
  if (boot != boot_id()) return Life::kDead;
  // Its sign of life is in a file that is no longer there: only the lease can tell.
  if (peers_file != file.peers().identity()) return Life::kUnknown;
  return file.peers().owner_lives(owner) ? Life::kAlive : Life::kDead;
}

Dead find_dead(Database& database) {
  const SharedFile& file = database.file();
  Dead dead;
  {
    Query query(database, "SELECT id, boot, peers_file FROM owners");
    while (query.step()) {
      const Life life = life_of_owner(file, query.integer(0), query.blob(1), query.integer(2));
      if (life == Life::kDead) dead.owners.push_back(query.integer(0));
    }
  }
  dead.orphans = file.orphans();
  const auto has = [](const std::vector<int64_t>& all, int64_t one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  Query query(database, "SELECT id, owner, lease_until_ms FROM consumers");
  while (query.step()) {
    if (has(dead.orphans, query.integer(0))) continue;
    if (has(dead.owners, query.integer(1)) || query.integer(2) < boot_now_ms()) {
      dead.consumers.push_back(query.integer(0));
    }
  }
  return dead;
}

int64_t ensure_owner(Database& database) {
  const SharedFile& file = database.file();
  // It may be gone: this process may have been taken for dead while it was stopped.
  Query(database, "INSERT OR IGNORE INTO owners(id, boot, peers_file) VALUES(?1, ?2, ?3)")
      .bind(file.owner())
      .bind(std::string_view(boot_id()))
      .bind(file.shows_life() ? file.peers().identity() : 0)
      .run();
  return file.owner();
}

} // namespace

int64_t register_consumer(Database& database, int64_t lease_ms) {
  Query(database, "INSERT INTO consumers(owner, lease_ms, lease_until_ms) VALUES(?1, ?2, ?3)")
      .bind(ensure_owner(database))
      .bind(lease_ms)
      .bind(boot_now_ms() + lease_ms)
      .run();
  const int64_t consumer = sqlite3_last_insert_rowid(database.handle());
  if (consumer > kLastConsumer) {
    throw Failure(SWAPMQ_RESOURCE_EXHAUSTED, database.file().path() +
                                                 ": has had 2147483647 consumers, the most that a "
                                                 "file can number; use a new file");
  }
  return consumer;
}

int64_t lease_end_ms(Database& database, int64_t consumer) {
  Query query(database, "SELECT lease_until_ms FROM consumers WHERE id = ?1");
  query.bind(consumer);
  return query.step() ? query.integer(0) : -1;
}

bool renew_lease(Database& database, int64_t consumer, int64_t lease_ms) {
  Query(database, "UPDATE consumers SET lease_until_ms = ?1 WHERE id = ?2")
      .bind(boot_now_ms() + lease_ms)
      .bind(consumer)
      .run();
  return database.changes() == 1;
}

void return_claims_of_the_dead(Database& database, const backend::Host& host) {
  if (find_dead(database).none()) return;
  WriteTransaction transaction(database);
  // Asked again: a lease may have been renewed since.
  const Dead dead = find_dead(database);
  Lanes lanes(database);
  int64_t counted = 0;
  for (const int64_t consumer : dead.consumers) {
    counted += return_claims(database, transaction, lanes, consumer, true);
  }
  for (const int64_t consumer : dead.orphans) {
    return_claims(database, transaction, lanes, consumer, false);
  }
  for (const int64_t owner : dead.owners) {
    Query(database, "DELETE FROM owners WHERE id = ?1").bind(owner).run();
  }
  lanes.save();
  transaction.commit();
  database.file().forget_orphans(dead.orphans);
  if (counted == 0) return;
  host.count("returned_by_dead_consumers", static_cast<uint64_t>(counted));
  host.log(SWAPMQ_LOG_WARN, database.file().path() + ": " + std::to_string(counted) +
                                " messages of consumers that died, or gave no sign of life within "
                                "their lease, are ready again");
}

} // namespace swapmq::sqlite

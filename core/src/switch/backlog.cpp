// SPDX-License-Identifier: MIT
#include "switch/backlog.h"

#include <set>

#include "failpoint.h"

namespace swapmq::switching {
namespace {

bool is_exact(const swapmq_queue_stats& stats) {
  return stats.ready_precision == SWAPMQ_STAT_EXACT &&
         stats.unacked_precision == SWAPMQ_STAT_EXACT &&
         stats.delayed_precision == SWAPMQ_STAT_EXACT;
}

} // namespace

Result<Backlog> read_backlog(queue::Side& side, const Record& record, Traffic& traffic,
                             queue::Deadline deadline) {
  auto session = side.admin_sessions().acquire(deadline);
  if (!session) return session.error();
  std::set<std::string> queues = record.queues;
  Error failed;
  if (record.more_queues) {
    failed =
        (*session)->list_queues([&](std::string_view name) { queues.emplace(name); }, deadline);
    if (failed) return failed;
  }
  const auto look = [&](const std::string& name) {
    swapmq_queue_stats stats{};
    auto queue = (*session)->queue(name, traffic.queue_spec(name));
    auto read = queue ? (*session)->queue_stats(*queue, deadline)
                      : Result<swapmq_queue_stats>(queue.error());
    Failpoints::reach("discharge: a queue was read");
    if (read) return *read;
    failed = read.error();
    return stats;
  };
  Backlog backlog;
  std::set<std::string> dead_letter_queues;
  for (const std::string& name : queues) {
    const std::string dead = traffic.dead_letter_queue(name);
    dead_letter_queues.insert(dead.empty() ? name : dead);
    if (dead.empty()) continue; // looked at below
    const swapmq_queue_stats stats = look(name);
    if (failed) return failed;
    backlog.queues[name] = {stats.ready, stats.unacked, stats.delayed};
    backlog.sum.ready += stats.ready;
    backlog.sum.unacked += stats.unacked;
    backlog.sum.delayed += stats.delayed;
    backlog.exact = backlog.exact && is_exact(stats);
  }
  for (const std::string& name : dead_letter_queues) {
    const swapmq_queue_stats stats = look(name);
    if (failed) return failed;
    const std::uint64_t all = stats.ready + stats.unacked + stats.delayed;
    if (all > 0) backlog.dead_letters[name] = all;
  }
  return backlog;
}

Record::Sizes all_of(const Backlog& backlog) {
  Record::Sizes all = backlog.dead_letters;
  for (const auto& [name, sizes] : backlog.queues) {
    if (sizes.all() > 0) all[name] = sizes.all();
  }
  return all;
}

std::string named(const Record::Sizes& sizes) {
  std::string text;
  for (const auto& [queue, count] : sizes) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " in \"" + queue + "\"";
  }
  return text;
}

std::string in_words(const Sizes& sum, const Record::Sizes& by_queue) {
  std::string text = std::to_string(sum.ready) + " ready, " + std::to_string(sum.unacked) +
                     " unacked and " + std::to_string(sum.delayed) + " delayed messages";
  if (!by_queue.empty()) text += " (" + named(by_queue) + ")";
  return text;
}

} // namespace swapmq::switching

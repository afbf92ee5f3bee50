// SPDX-License-Identifier: MIT
#include "queue/all_backends.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "config/queue_name.h"
#include "queue/ledger.h"

namespace swapmq::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// What nothing is owed to may be turned off by now: whoever looks does not wait long for it.
constexpr milliseconds patience_where_only_watched{1000};
// Of bodies, by one look at one backend: a person reads no more, and memory has an end.
constexpr std::uint64_t most_bytes_shown = std::uint64_t{256} << 20;

Precision precision(std::int32_t of_plugin) { return static_cast<Precision>(of_plugin); }

void add(QueueStats& to, const swapmq_queue_stats& more) {
  to.ready += more.ready;
  to.unacked += more.unacked;
  to.delayed += more.delayed;
  to.ready_precision = std::min(to.ready_precision, precision(more.ready_precision));
  to.unacked_precision = std::min(to.unacked_precision, precision(more.unacked_precision));
  to.delayed_precision = std::min(to.delayed_precision, precision(more.delayed_precision));
  to.exists = to.exists || more.exists != 0;
}

void limit_precision(QueueStats& to, Precision most) {
  for (Precision* one : {&to.ready_precision, &to.unacked_precision, &to.delayed_precision}) {
    *one = std::min(*one, most);
  }
}

} // namespace

/// What a change came to on each of several backends.
class AllBackends::Changes {
 public:
  explicit Changes(std::string what) : what_(std::move(what)) {}
  void done(const std::string& where) { done_ += (done_.empty() ? "" : ", ") + where; }
  void failed(const Error& error) {
    if (!first_) first_ = error;
    failed_ += (failed_.empty() ? "" : "; ") + error.message();
  }
  /// ok: none failed.
  [[nodiscard]] Error error() const {
    if (!first_ || done_.empty()) return {first_.code(), failed_, first_.retryable()};
    return {first_.code(), failed_ + "; " + what_ + " " + done_, first_.retryable()};
  }

 private:
  const std::string what_;
  std::string done_, failed_;
  Error first_;
};

Error AllBackends::named(const Place& place, const Error& error) const {
  if (!error || places_.size() == 1) return error;
  return {error.code(), place.key + ": " + error.message(), error.retryable()};
}

Result<AllBackends::Visit> AllBackends::visit(std::size_t place, std::string_view queue,
                                              Deadline deadline) const {
  const Place& at = places_[place];
  if (at.side == nullptr) {
    if (at.error) return named(at, at.error);
    return named(at, {Errc::unavailable, "it was not opened yet", true});
  }
  const auto now = steady_clock::now();
  const auto share = (deadline - now) / static_cast<std::int64_t>(places_.size() - place);
  Deadline until = now + share;
  if (at.only_watched) until = std::min(until, now + patience_where_only_watched);
  auto session = at.side->admin_sessions().acquire(until);
  if (!session) return named(at, session.error());
  Visit visit{std::move(*session), nullptr, until};
  if (queue.empty()) return visit;
  auto handle = visit.session->queue(queue, rules_.spec(queue));
  if (!handle) return named(at, handle.error());
  visit.queue = *handle;
  return visit;
}

Result<swapmq_queue_stats> AllBackends::stats_at(std::size_t place, std::string_view queue,
                                                 Deadline deadline) const {
  auto at = visit(place, queue, deadline);
  if (!at) return at.error();
  auto read = at->session->queue_stats(at->queue, at->until);
  return read ? read : Result<swapmq_queue_stats>(named(places_[place], read.error()));
}

Result<QueueStats> AllBackends::stats(std::string_view queue, Deadline deadline) const {
  if (Error error = config::check_queue_name(queue)) return error;
  QueueStats sum;
  sum.ready_precision = sum.unacked_precision = sum.delayed_precision = Precision::exact;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto read = stats_at(i, queue, deadline);
    if (read) {
      add(sum, *read);
    } else if (places_[i].only_watched) {
      limit_precision(sum, Precision::approximate); // something may lie there all the same
    } else {
      return read.error();
    }
  }
  return sum;
}

Result<std::uint64_t> AllBackends::purge(std::string_view queue, Deadline deadline) const {
  if (Error error = config::check_queue_name(queue)) return error;
  Changes changes("removed:");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto at = visit(i, queue, deadline);
    const auto removed =
        at ? at->session->purge_queue(at->queue, at->until) : Result<std::uint64_t>(at.error());
    if (removed) {
      sum += *removed;
      changes.done(std::to_string(*removed) + " from " + places_[i].key);
    } else {
      changes.failed(at ? named(places_[i], removed.error()) : at.error());
    }
  }
  if (Error error = changes.error()) return error;
  return sum;
}

Error AllBackends::delete_queue(std::string_view queue, Deadline deadline) const {
  if (Error error = config::check_queue_name(queue)) return error;
  Changes changes("deleted on");
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto at = visit(i, queue, deadline);
    const Error error =
        at ? named(places_[i], at->session->delete_queue(at->queue, at->until)) : at.error();
    if (error) {
      changes.failed(error);
    } else {
      changes.done(places_[i].key);
    }
  }
  return changes.error();
}

Result<std::vector<std::string>> AllBackends::list_queues(Deadline deadline) const {
  std::vector<std::string> names; // in the order of the backends, each once
  std::set<std::string, std::less<>> known;
  const auto each = [&](std::string_view name) {
    if (known.emplace(name).second) names.emplace_back(name);
  };
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto at = visit(i, {}, deadline);
    const Error error =
        at ? named(places_[i], at->session->list_queues(each, at->until)) : at.error();
    if (error && !places_[i].only_watched) return error;
  }
  return names;
}

Result<std::vector<Delivery>> AllBackends::peek_at(std::size_t place, std::string_view queue,
                                                   std::size_t max, Deadline deadline) const {
  auto at = visit(place, queue, deadline);
  if (!at) return at.error();
  plugin::Received shown = at->session->peek(at->queue, max, most_bytes_shown, at->until);
  if (shown.error) return named(places_[place], shown.error);
  if (shown.batch == nullptr) return std::vector<Delivery>();
  // No retries, no consumer: only what handles of deliveries ask of it.
  const auto ledger = std::make_shared<Ledger>(
      std::string(queue), ConsumeOptions{}, milliseconds(0), 0,
      places_[place].side->metrics().queue(queue), std::make_shared<Bell>());
  return ledger->show(std::move(shown.batch));
}

Result<std::vector<Delivery>> AllBackends::peek(std::string_view queue, std::size_t max,
                                                Deadline deadline) const {
  if (Error error = config::check_queue_name(queue)) return error;
  if (max == 0) return Error(Errc::invalid_argument, "peek: max is 0");
  std::vector<Delivery> all;
  for (std::size_t i = 0; i < places_.size() && all.size() < max; ++i) {
    auto shown = peek_at(i, queue, max - all.size(), deadline);
    if (!shown && !places_[i].only_watched) return shown.error();
    if (shown) std::ranges::move(*shown, std::back_inserter(all));
  }
  return all;
}

} // namespace swapmq::queue

// SPDX-License-Identifier: MIT
#include "metrics/metrics.h"

#include <utility>

namespace swapmq::metrics {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

Labels with(Labels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

/// A counter or a gauge.
template <class Number>
void add(std::vector<Metric>& out, std::string name, Labels labels, const Number& number) {
  Metric metric{std::move(name), std::move(labels), static_cast<double>(number.value())};
  out.push_back(std::move(metric));
}

void add(std::vector<Metric>& out, std::string name, Labels labels, const Histogram& histogram) {
  Metric metric{std::move(name), std::move(labels)};
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
    cumulative += histogram.in_bucket(i);
    if (i + 1 < Histogram::bucket_count) {
      metric.buckets.emplace_back(Histogram::upper_bound_seconds(i), cumulative);
    }
  }
  metric.value = static_cast<double>(cumulative);
  metric.sum = histogram.sum_seconds();
  out.push_back(std::move(metric));
}

void add(std::vector<Metric>& out, const Labels& labels, const QueueMetrics& queue) {
  const auto outcome = [&](const char* word, const Counter& counter) {
    add(out, "swapmq_published_total", with(labels, "outcome", word), counter);
  };
  outcome("confirmed", queue.confirmed);
  outcome("failed", queue.failed);
  outcome("in_doubt", queue.in_doubt);
  add(out, "swapmq_publish_retries_total", labels, queue.publish_retries);
  add(out, "swapmq_delivered_total", labels, queue.delivered);
  add(out, "swapmq_redelivered_total", labels, queue.redelivered);
  const auto settled = [&](const char* word, const Counter& counter) {
    add(out, "swapmq_settled_total", with(labels, "as", word), counter);
  };
  settled("ack", queue.acked);
  settled("nack", queue.nacked);
  settled("release", queue.released);
  settled("dead_letter", queue.dead_lettered);
  settled("lost", queue.lost);
  add(out, "swapmq_ack_timeouts_total", labels, queue.ack_timeouts);
  add(out, "swapmq_publish_seconds", labels, queue.publish_seconds);
  add(out, "swapmq_handle_seconds", labels, queue.handle_seconds);
  add(out, "swapmq_settle_seconds", labels, queue.settle_seconds);
}

void add(std::vector<Metric>& out, const Labels& labels, const SessionMetrics& sessions) {
  add(out, "swapmq_sessions_opened_total", labels, sessions.opened);
  add(out, "swapmq_sessions_broken_total", labels, sessions.broken);
  add(out, "swapmq_sessions_in_use", labels, sessions.in_use);
  if (sessions.limit.value() == 0) return; // no pool: nobody waits
  add(out, "swapmq_session_waits_total", labels, sessions.waits);
  add(out, "swapmq_sessions_limit", labels, sessions.limit);
}

} // namespace

QueueMetrics& Registry::queue(std::string_view name) {
  const Lock lock(mutex_);
  if (const auto found = queues_.find(name); found != queues_.end()) return *found->second;
  if (queues_.size() < max_queues) {
    return *queues_.emplace(std::string(name), std::make_unique<QueueMetrics>()).first->second;
  }
  if (other_queues_ == nullptr) other_queues_ = std::make_unique<QueueMetrics>();
  return *other_queues_;
}

void Registry::count(std::string_view name, std::uint64_t amount) {
  const Lock lock(mutex_);
  auto found = plugin_counters_.find(name);
  if (found == plugin_counters_.end()) {
    if (plugin_counters_.size() >= max_plugin_counters) return; // a plugin that makes up names
    found = plugin_counters_.emplace(std::string(name), 0).first;
  }
  found->second += amount;
}

std::vector<Metric> Registry::snapshot(std::string_view backend_name) const {
  const Labels backend{{"backend", std::string(backend_name)}};
  std::vector<Metric> out;
  add(out, with(backend, "role", "publish"), backend_.publish);
  add(out, with(backend, "role", "consume"), backend_.consume);
  add(out, with(backend, "role", "admin"), backend_.admin);
  const Lock lock(mutex_);
  for (const auto& [name, value] : plugin_counters_) {
    const Labels labels = with(backend, "event", name);
    out.push_back(Metric{"swapmq_plugin_events_total", labels, static_cast<double>(value)});
  }
  for (const auto& [name, queue] : queues_) add(out, with(backend, "queue", name), *queue);
  if (other_queues_ != nullptr) add(out, backend, *other_queues_);
  return out;
}

} // namespace swapmq::metrics

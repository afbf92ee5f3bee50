// SPDX-License-Identifier: MIT
//
// Queues and publishing.
#include "session.h"

#include <sys/eventfd.h>

#include <cctype>

namespace planted {

using swapmq::backend::confirmed;
using swapmq::backend::failed;
using swapmq::backend::Failure;
using swapmq::backend::unix_now_ms;
using swapmq::backend::view;

PlantedSession::PlantedSession(Broker& broker, std::int32_t, Deadline)
    : broker_(broker), store_(broker.store) {
  if (has("leaks_descriptor")) static_cast<void>(eventfd(0, EFD_CLOEXEC));
}

PlantedSession::~PlantedSession() {
  if (!has("batch_dies_with_session")) return;
  for (const auto& weak : handed_) {
    if (const ItemPtr item = weak.lock()) item->body.assign(item->body.size(), '\xDD');
  }
}

void PlantedSession::ping(Deadline) {}

void PlantedSession::service(Deadline) {}

std::unique_ptr<PlantedSession::Queue> PlantedSession::open_queue(std::string_view name,
                                                                  const swapmq_queue_spec& spec) {
  if (name.size() > kLimits.max_queue_name_bytes) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "the queue name is longer than 255 bytes");
  }
  if (name.find('\0') != std::string_view::npos) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "the queue name holds a NUL");
  }
  if (broker_.absent() && spec.max_length != 0) {
    throw Failure(SWAPMQ_NOT_SUPPORTED, "there is no length limit here");
  }
  auto queue = std::make_unique<NamedQueue>();
  queue->name = name;
  queue->spec = spec;
  if (has("delivers_across_queues")) {
    for (char& c : queue->name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return queue;
}

Line& PlantedSession::line_at(const std::string& name, std::uint64_t max_length) {
  const auto [at, made] = store_->lines.try_emplace(name);
  if (made) at->second.max_length = max_length;
  return at->second;
}

Line& PlantedSession::line_of(Queue& queue) {
  auto& named = static_cast<NamedQueue&>(queue);
  return line_at(named.name, named.spec.max_length);
}

void PlantedSession::create_queue(Queue& queue, Deadline) {
  const Lock lock(store_->mutex);
  line_of(queue);
}

void PlantedSession::delete_queue(Queue& queue, Deadline) {
  const Lock lock(store_->mutex);
  store_->lines.erase(static_cast<NamedQueue&>(queue).name);
}

void PlantedSession::queue_stats(Queue& queue, swapmq_queue_stats& stats, Deadline) {
  const Lock lock(store_->mutex);
  stats.ready_precision = stats.unacked_precision = stats.delayed_precision = SWAPMQ_STAT_EXACT;
  stats.atomic = 1;
  const auto at = store_->lines.find(static_cast<NamedQueue&>(queue).name);
  if (at == store_->lines.end()) return;
  Line& line = at->second;
  line.tick(unix_now_ms(), !has("ttl_ignored"));
  stats.exists = 1;
  stats.ready = line.ready.size() + (has("stats_lie") ? line.unacked.size() : 0);
  stats.unacked = line.unacked.size();
  stats.delayed = line.delayed.size();
}

std::uint64_t PlantedSession::purge_queue(Queue& queue, Deadline) {
  const Lock lock(store_->mutex);
  if (broker_.absent()) throw Failure(SWAPMQ_NOT_SUPPORTED, "there is no purge here");
  const auto at = store_->lines.find(static_cast<NamedQueue&>(queue).name);
  if (at == store_->lines.end()) return 0;
  Line& line = at->second;
  line.tick(unix_now_ms(), true);
  std::uint64_t removed = line.ready.size();
  line.ready.clear();
  if (!has("purge_forgets_delayed")) {
    removed += line.delayed.size();
    line.delayed.clear();
  }
  if (has("purge_takes_unacked")) line.unacked.clear();
  return removed;
}

swapmq_status PlantedSession::check(const swapmq_message& message) const {
  if (message.body.size > kLimits.max_body_bytes && !has("limit_not_enforced")) {
    return SWAPMQ_TOO_LARGE;
  }
  const auto headers = swapmq::backend::headers_of(message);
  if (headers.size() > kLimits.max_header_count) return SWAPMQ_TOO_LARGE;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    bytes += headers[i].name.size + headers[i].value.size;
  }
  if (bytes > kLimits.max_headers_bytes) return SWAPMQ_TOO_LARGE;
  const std::int64_t now = unix_now_ms();
  if (message.due_at_ms > now && message.due_at_ms - now > kLimits.max_delay_ms) {
    return SWAPMQ_TOO_LARGE;
  }
  if (broker_.absent() && (message.due_at_ms > now || message.expires_at_ms != 0)) {
    return SWAPMQ_NOT_SUPPORTED;
  }
  return SWAPMQ_OK;
}

void PlantedSession::store(Line& line, ItemPtr item) {
  item->place = store_->next_place++;
  if (has("cuts_at_nul")) item->id = item->id.c_str();
  if (has("forgets_a_field")) item->correlation_id.clear();
  if (has("length_too_long") && item->body.size() == 1000) item->fields.priority += 100;
  const bool delayed = item->fields.due_at_ms > unix_now_ms() && !has("delivered_early");
  if (delayed) {
    line.delayed.emplace(item->fields.due_at_ms, std::move(item));
  } else {
    line.put(std::move(item), !has("priority_ignored") && !broker_.absent());
  }
}

swapmq_publish_result PlantedSession::publish_one(Line& line, const swapmq_message& message) {
  if (const swapmq_status status = check(message); status != SWAPMQ_OK) return failed(status);
  if (line.max_length != 0 && line.size() >= line.max_length) {
    return failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
  }
  const bool known = !line.ids.emplace(view(message.id)).second;
  const bool moved = message.first_published_ms != 0 && !has("swallows_a_move");
  if (!broker_.absent() && known && !moved) return confirmed();
  if (has("confirms_what_it_dropped") && store_->next_place % 701 == 0) {
    store_->next_place++;
    return confirmed();
  }
  store(line, std::make_shared<Item>(message));
  return confirmed();
}

void PlantedSession::publish(Queue& queue, swapmq::backend::Messages messages,
                             swapmq::backend::PublishResults results, Deadline) {
  if (messages.size() > kLimits.max_publish_batch) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "more than 4096 messages in one publish");
  }
  const Lock lock(store_->mutex);
  Line& line = line_of(queue);
  for (auto& [name, item] : written_behind_) store(line_at(name, 0), std::move(item));
  written_behind_.clear();
  bool together = false;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (has("acks_before_storing")) {
      const std::string& name = static_cast<NamedQueue&>(queue).name;
      written_behind_.emplace_back(name, std::make_shared<Item>(messages[i]));
      results[i] = confirmed();
      continue;
    }
    results[i] = publish_one(line, messages[i]);
    together = together || results[i].outcome == SWAPMQ_PUBLISH_FAILED;
  }
  if (together && has("batch_fails_together")) {
    for (std::size_t i = 0; i < messages.size(); ++i) results[i] = failed(SWAPMQ_TOO_LARGE);
  }
  store_->changed.notify_all();
}

void PlantedSession::list_queues(const swapmq::backend::QueueVisitor& visit, Deadline) {
  const Lock lock(store_->mutex);
  for (const auto& [name, line] : store_->lines) visit(name);
}

} // namespace planted

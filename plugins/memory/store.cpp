// SPDX-License-Identifier: MIT
#include "store.hpp"

#include <utility>

namespace swapmq::memory {
namespace {

/// All stores of the process, by name.
struct Registry {
  backend::Mutex mutex;
  std::map<std::string, std::weak_ptr<Store>, std::less<>> stores SWAPMQ_GUARDED_BY(mutex);
};

Registry& registry() {
  // Never destroyed: a host may close its last backend after our static objects would be gone.
  static auto& instance = *new Registry();
  return instance;
}

[[noreturn]] void refuse_limit(const std::string& name, const char* key, uint64_t has,
                               uint64_t asked) {
  throw backend::Failure(SWAPMQ_INVALID_ARGUMENT,
                         "the memory store \"" + name + "\" is open with " + key + " " +
                             std::to_string(has) + ", not " + std::to_string(asked) +
                             "; use another name, or leave " + key + " out to share its limit");
}

} // namespace

std::shared_ptr<Store> Store::open(const Options& options) {
  Registry& all = registry();
  const backend::Lock lock(all.mutex);
  std::erase_if(all.stores, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = all.stores.find(options.name); found != all.stores.end()) {
    if (auto store = found->second.lock()) {
      store->check_limits(options);
      return store;
    }
  }
  auto store = std::make_shared<Store>(options.max_messages.value_or(kDefaultMaxMessages),
                                       options.max_bytes.value_or(kDefaultMaxBytes));
  all.stores.insert_or_assign(options.name, store);
  return store;
}

Store::Store(uint64_t max_messages, uint64_t max_bytes)
    : max_messages_(max_messages), budget_(max_bytes) {}

void Store::check_limits(const Options& options) const {
  if (options.max_messages.value_or(max_messages_) != max_messages_) {
    refuse_limit(options.name, "max_messages", max_messages_, *options.max_messages);
  }
  if (options.max_bytes.value_or(budget_.limit()) != budget_.limit()) {
    refuse_limit(options.name, "max_bytes", budget_.limit(), *options.max_bytes);
  }
}

std::shared_ptr<Queue> Store::queue(std::string_view name) {
  const backend::Lock lock(mutex_);
  auto found = queues_.find(name);
  if (found == queues_.end()) {
    auto made = std::make_shared<Queue>(std::string(name), max_messages_, budget_);
    found = queues_.emplace(std::string(name), std::move(made)).first;
  }
  return found->second;
}

void Store::tidy(std::string_view name) {
  const backend::Lock lock(mutex_);
  const auto found = queues_.find(name);
  if (found == queues_.end()) return;
  // Shares are only ever taken from the map, under this lock, so the last one stays the last. What
  // a sweep has a share of at the moment, the next sweep tidies.
  if (found->second.use_count() == 1 && !found->second->exists()) queues_.erase(found);
}

std::vector<std::shared_ptr<Queue>> Store::queues() {
  const backend::Lock lock(mutex_);
  std::vector<std::shared_ptr<Queue>> all;
  all.reserve(queues_.size());
  for (const auto& [name, queue] : queues_) all.push_back(queue);
  return all;
}

std::vector<std::string> Store::names() {
  std::vector<std::string> existing;
  for (const auto& queue : queues()) {
    if (queue->exists()) existing.push_back(queue->name());
  }
  return existing;
}

void Store::sweep(int64_t now_ms, Aftermath& aftermath) {
  for (const auto& queue : queues()) queue->sweep(now_ms, aftermath);
  const backend::Lock lock(mutex_);
  std::erase_if(queues_, [](const auto& entry) {
    return entry.second.use_count() == 1 && !entry.second->exists();
  });
}

} // namespace swapmq::memory

// SPDX-License-Identifier: MIT
#include "store.h"

#include <algorithm>
#include <thread>

#include "bugs.h"

namespace planted {

using swapmq::backend::Failure;
using swapmq::backend::headers_of;
using swapmq::backend::view;

namespace {

std::mutex registry_mutex;
std::map<std::string, std::weak_ptr<Store>> registry; // guarded by registry_mutex
std::string last_bug;                                 // guarded by registry_mutex

/// The string value of `key`; the host has checked the options against the schema.
std::string option(std::string_view json, std::string_view key) {
  const std::size_t at = json.find("\"" + std::string(key) + "\"");
  if (at == std::string_view::npos) return {};
  const std::size_t open = json.find('"', json.find(':', at));
  if (open == std::string_view::npos) return {};
  return std::string(json.substr(open + 1, json.find('"', open + 1) - open - 1));
}

bool known(std::string_view bug) {
  const auto in = [&](const auto& list) {
    return std::find(list.begin(), list.end(), bug) != list.end();
  };
  return bug.empty() || bug == "none" || in(kBugs) || in(kLies);
}

} // namespace

Item::Item(const swapmq_message& message)
    : fields(message),
      id(view(message.id)),
      body(view(message.body)),
      ordering_key(view(message.ordering_key)),
      correlation_id(view(message.correlation_id)),
      reply_to(view(message.reply_to)),
      content_type(view(message.content_type)) {
  const auto given = headers_of(message);
  for (std::size_t i = 0; i < given.size(); ++i) {
    headers.emplace_back(view(given[i].name), view(given[i].value));
  }
}

swapmq_message Item::as_message() {
  header_views.clear();
  for (const auto& [name, value] : headers) {
    header_views.push_back({swapmq::backend::bytes(name), swapmq::backend::bytes(value)});
  }
  swapmq_message message = fields;
  message.id = swapmq::backend::bytes(id);
  message.body = swapmq::backend::bytes(body);
  message.ordering_key = swapmq::backend::bytes(ordering_key);
  message.correlation_id = swapmq::backend::bytes(correlation_id);
  message.reply_to = swapmq::backend::bytes(reply_to);
  message.content_type = swapmq::backend::bytes(content_type);
  message.headers = header_views.empty() ? nullptr : header_views.data();
  message.header_count = static_cast<std::uint32_t>(header_views.size());
  message.header_size = sizeof(swapmq_header);
  return message;
}

void Line::put(ItemPtr item, bool by_priority) {
  const std::int64_t first = by_priority ? -static_cast<std::int64_t>(item->fields.priority) : 0;
  const std::uint64_t place = item->place;
  ready.insert_or_assign({first, place}, std::move(item));
}

void Line::tick(std::int64_t now_ms, bool expires) {
  while (!delayed.empty() && delayed.begin()->first <= now_ms) {
    put(delayed.begin()->second, true);
    delayed.erase(delayed.begin());
  }
  if (!expires) return;
  const auto expired = [&](const auto& entry) {
    const std::int64_t end = entry.second->fields.expires_at_ms;
    return end != 0 && end <= now_ms;
  };
  std::erase_if(ready, expired);
  std::erase_if(delayed, expired);
}

Broker::Broker(const swapmq::backend::OpenArgs& args)
    : bug_(option(args.options_json, "bug")),
      absent_(option(args.options_json, "absent") == "all"),
      nacked_last_(option(args.options_json, "nacked") == "last") {
  if (!known(bug_)) throw Failure(SWAPMQ_INVALID_ARGUMENT, "options: no such bug");
  const std::lock_guard lock(registry_mutex);
  last_bug = bug_;
  std::weak_ptr<Store>& shared = registry[std::string(args.options_json)];
  store = shared.lock();
  if (store == nullptr) shared = store = std::make_shared<Store>();
  if (has("leaks_thread")) {
    std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
  }
}

void Broker::describe(swapmq_capabilities& capabilities, swapmq_limits&) const {
  if (absent_)
    capabilities = swapmq_capabilities{sizeof capabilities, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  if (has("absent_but_silent")) capabilities.ttl = SWAPMQ_ABSENT;
  if (has("claims_durability")) {
    capabilities.durability = SWAPMQ_DURABILITY_PROCESS;
    capabilities.sharing = SWAPMQ_SHARING_MACHINE;
  }
}

bool process_has(std::string_view bug) {
  const std::lock_guard lock(registry_mutex);
  return last_bug == bug;
}

const swapmq_capabilities kCapabilities = {
    .struct_size = sizeof(swapmq_capabilities),
    .durability = SWAPMQ_DURABILITY_NONE,
    .ordering = SWAPMQ_ORDERING_KEY,
    .sharing = SWAPMQ_SHARING_PROCESS,
    .delayed_publish = SWAPMQ_NATIVE,
    .delayed_nack = SWAPMQ_NATIVE,
    .ttl = SWAPMQ_NATIVE,
    .priority = SWAPMQ_NATIVE,
    .release = SWAPMQ_NATIVE,
    .dead_letter = SWAPMQ_NATIVE,
    .deduplication = SWAPMQ_NATIVE,
    .purge = SWAPMQ_NATIVE,
    .counts_crashes = SWAPMQ_ABSENT,
    .max_length = SWAPMQ_NATIVE,
};

const swapmq_limits kLimits = {
    .struct_size = sizeof(swapmq_limits),
    .max_queue_name_bytes = 255,
    .max_body_bytes = 32u << 20,
    .max_headers_bytes = 1u << 20,
    .max_header_count = 1000,
    .max_publish_batch = 4096,
    .max_receive_batch = 512,
    .max_priority = 9,
    .max_delay_ms = INT64_C(365) * 24 * 3600 * 1000,
    .queue_name_alphabet = nullptr,
};

} // namespace planted

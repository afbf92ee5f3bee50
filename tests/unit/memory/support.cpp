// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <atomic>
#include <ostream>

namespace swapmq::memory::test {
namespace {

std::vector<swapmq_header> views_of(const HeaderList& headers) {
  std::vector<swapmq_header> views;
  for (const auto& [name, value] : headers) {
    views.push_back({backend::bytes(name), backend::bytes(value)});
  }
  return views;
}

swapmq_message view_of(const Draft& from, const std::vector<swapmq_header>& headers) {
  swapmq_message message{};
  message.id = backend::bytes(from.id);
  message.body = backend::bytes(from.body);
  message.headers = headers.empty() ? nullptr : headers.data();
  message.header_count = static_cast<uint32_t>(headers.size());
  message.header_size = sizeof(swapmq_header);
  message.timestamp_ms = from.timestamp_ms;
  message.first_published_ms = from.first_published_ms;
  message.due_at_ms = from.due_at_ms;
  message.expires_at_ms = from.expires_at_ms;
  message.priority = from.priority;
  message.delivery_count = from.delivery_count;
  message.ordering_key = backend::bytes(from.ordering_key);
  return message;
}

swapmq_exchange_args exchange_args() {
  swapmq_exchange_args args{};
  args.struct_size = sizeof args;
  args.settlement_size = sizeof(swapmq_settlement);
  return args;
}

} // namespace

const swapmq_backend_vtable& vtable() {
  static const swapmq_backend_vtable* const table =
      swapmq_backend_entry(SWAPMQ_ABI_VERSION, nullptr);
  return *table;
}

int64_t after(std::chrono::nanoseconds wait) {
  return (std::chrono::steady_clock::now().time_since_epoch() + wait).count();
}

std::string unique_name() {
  static std::atomic<int> last{0};
  return "store-" + std::to_string(++last);
}

Draft draft(std::string id) {
  Draft made;
  made.body = "body of " + id;
  made.id = std::move(id);
  return made;
}

std::string Deliveries::id(std::size_t i) const {
  return std::string(backend::view((*this)[i].message->id));
}
std::string Deliveries::body(std::size_t i) const {
  return std::string(backend::view((*this)[i].message->body));
}

HeaderList Deliveries::headers(std::size_t i) const {
  HeaderList list;
  const backend::Headers headers = backend::headers_of(*(*this)[i].message);
  for (std::size_t h = 0; h < headers.size(); ++h) {
    list.emplace_back(backend::view(headers[h].name), backend::view(headers[h].value));
  }
  return list;
}

std::vector<std::string> Deliveries::ids() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < size(); ++i) all.push_back(id(i));
  return all;
}

Backend::Backend(const std::string& options) {
  static const swapmq_host host{.struct_size = sizeof(swapmq_host),
                                .abi_version = SWAPMQ_ABI_VERSION,
                                .context = nullptr,
                                .log_enabled = nullptr,
                                .log = nullptr,
                                .count = nullptr};
  swapmq_open_args args{};
  args.struct_size = sizeof args;
  args.host = &host;
  args.options_json = backend::bytes(options);
  args.deadline_ns = after(kPatience);
  Error error;
  const swapmq_status status = vtable().open(&args, &backend_, &error);
  if (status != SWAPMQ_OK) throw backend::Failure(status, error.text());
}

Backend Backend::own(const std::string& more) {
  return Backend("{\"name\":\"" + unique_name() + "\"" + more + "}");
}

void Backend::close() {
  if (backend_ != nullptr) vtable().close(std::exchange(backend_, nullptr));
}

Session::Session(const Backend& backend, int32_t role) {
  Error error;
  EXPECT_EQ(vtable().session_open(backend.get(), role, after(kPatience), &session_, &error),
            SWAPMQ_OK)
      << error.text();
}

void Session::close() {
  if (session_ != nullptr) vtable().session_close(std::exchange(session_, nullptr));
}

swapmq_queue* Session::queue(std::string_view name, uint64_t max_length, uint32_t flags) {
  const swapmq_queue_spec spec{sizeof spec, flags, max_length};
  swapmq_queue* queue = nullptr;
  Error error;
  EXPECT_EQ(vtable().queue_open(session_, backend::bytes(name), &spec, &queue, &error), SWAPMQ_OK)
      << error.text();
  return queue;
}

void Session::create(swapmq_queue* queue) {
  Error error;
  EXPECT_EQ(vtable().create_queue(session_, queue, after(kPatience), &error), SWAPMQ_OK)
      << error.text();
}

void Session::remove(swapmq_queue* queue) {
  Error error;
  EXPECT_EQ(vtable().delete_queue(session_, queue, after(kPatience), &error), SWAPMQ_OK)
      << error.text();
}

uint64_t Session::purge(swapmq_queue* queue) {
  Error error;
  uint64_t removed = 0;
  EXPECT_EQ(vtable().purge_queue(session_, queue, &removed, after(kPatience), &error), SWAPMQ_OK)
      << error.text();
  return removed;
}

swapmq_queue_stats Session::stats(swapmq_queue* queue) {
  Error error;
  swapmq_queue_stats stats{};
  stats.struct_size = sizeof stats;
  EXPECT_EQ(vtable().queue_stats(session_, queue, &stats, after(kPatience), &error), SWAPMQ_OK)
      << error.text();
  return stats;
}

std::vector<std::string> Session::list() {
  const auto* table =
      static_cast<const swapmq_list_queues*>(vtable().extension(SWAPMQ_EXTENSION_LIST_QUEUES));
  std::vector<std::string> names;
  const auto each = [](void* context, swapmq_bytes name) {
    static_cast<std::vector<std::string>*>(context)->emplace_back(backend::view(name));
  };
  Error error;
  EXPECT_EQ(table->list(session_, each, &names, after(kPatience), &error), SWAPMQ_OK);
  return names;
}

std::vector<swapmq_publish_result> Session::publish(swapmq_queue* queue,
                                                    const std::vector<Draft>& drafts) {
  std::vector<std::vector<swapmq_header>> headers;
  std::vector<swapmq_message> messages;
  for (const Draft& from : drafts) {
    headers.push_back(views_of(from.headers));
    messages.push_back(view_of(from, headers.back()));
  }
  std::vector<swapmq_publish_result> results(drafts.size());
  swapmq_publish_args args{};
  args.struct_size = sizeof args;
  args.message_size = sizeof(swapmq_message);
  args.result_size = sizeof(swapmq_publish_result);
  args.messages = messages.data();
  args.count = messages.size();
  args.results = results.data();
  args.deadline_ns = after(kPatience);
  Error error;
  EXPECT_EQ(vtable().publish(session_, queue, &args, &error), SWAPMQ_OK) << error.text();
  return results;
}

void Session::put(swapmq_queue* queue, const std::vector<Draft>& drafts) {
  for (const auto& result : publish(queue, drafts)) {
    EXPECT_EQ(result.outcome, SWAPMQ_PUBLISH_CONFIRMED) << "status " << result.status;
  }
}

void Session::put(swapmq_queue* queue, const std::vector<std::string>& ids) {
  std::vector<Draft> drafts;
  for (const std::string& id : ids) drafts.push_back(draft(id));
  put(queue, drafts);
}

swapmq_subscription* Session::subscribe(swapmq_queue* queue, uint32_t prefetch) {
  const swapmq_subscribe_args args{sizeof args, prefetch, 0, after(kPatience)};
  swapmq_subscription* subscription = nullptr;
  Error error;
  EXPECT_EQ(vtable().subscribe(session_, queue, &args, &subscription, &error), SWAPMQ_OK)
      << error.text();
  return subscription;
}

Deliveries Session::receive(swapmq_subscription* subscription, std::size_t count,
                            std::chrono::nanoseconds wait, uint64_t max_bytes) {
  swapmq_exchange_args args = exchange_args();
  args.max_messages = count;
  args.max_bytes = max_bytes;
  args.deadline_ns = after(wait);
  swapmq_batch* batch = nullptr;
  Error error;
  const swapmq_status status = vtable().exchange(session_, subscription, &args, &batch, &error);
  EXPECT_TRUE(status == SWAPMQ_OK || status == SWAPMQ_INTERRUPTED) << error.text();
  return {batch, status};
}

std::vector<std::string> Session::drain(swapmq_subscription* subscription, std::size_t count) {
  std::vector<std::string> ids;
  while (ids.size() < count) {
    const Deliveries got = receive(subscription, count - ids.size(), kPatience);
    if (got.empty()) break;
    for (std::size_t i = 0; i < got.size(); ++i) {
      ids.push_back(got.id(i));
      EXPECT_EQ(ack(subscription, got[i]), SWAPMQ_OK);
    }
  }
  return ids;
}

swapmq_status Session::settle(swapmq_subscription* subscription, const swapmq_delivery& delivery,
                              int32_t action, int64_t due_at_ms) {
  swapmq_settlement settlement{};
  settlement.delivery = &delivery;
  settlement.action = action;
  settlement.due_at_ms = due_at_ms;
  return settle(subscription, std::vector{settlement}).front();
}

swapmq_status Session::dead_letter(swapmq_subscription* subscription,
                                   const swapmq_delivery& delivery, swapmq_queue* target,
                                   const HeaderList& added) {
  const std::vector<swapmq_header> headers = views_of(added);
  swapmq_settlement settlement{};
  settlement.delivery = &delivery;
  settlement.action = SWAPMQ_SETTLE_DEAD_LETTER;
  settlement.target = target;
  settlement.headers = headers.empty() ? nullptr : headers.data();
  settlement.header_count = static_cast<uint32_t>(headers.size());
  settlement.header_size = sizeof(swapmq_header);
  return settle(subscription, std::vector{settlement}).front();
}

std::vector<swapmq_status> Session::settle(swapmq_subscription* subscription,
                                           const std::vector<swapmq_settlement>& settlements) {
  std::vector<swapmq_status> results(settlements.size(), SWAPMQ_STATUS_UNTOUCHED);
  swapmq_exchange_args args = exchange_args();
  args.settlements = settlements.data();
  args.settlement_count = settlements.size();
  args.settlement_results = results.data();
  swapmq_batch* batch = nullptr;
  Error error;
  EXPECT_EQ(vtable().exchange(session_, subscription, &args, &batch, &error), SWAPMQ_OK)
      << error.text();
  EXPECT_EQ(batch, nullptr);
  return results;
}

std::ostream& operator<<(std::ostream& out, const Sizes& sizes) {
  return out << sizes.ready << " ready, " << sizes.unacked << " unacked, " << sizes.delayed
             << " delayed";
}

Sizes sizes(Session& session, swapmq_queue* queue) {
  const swapmq_queue_stats stats = session.stats(queue);
  return {stats.ready, stats.unacked, stats.delayed};
}

} // namespace swapmq::memory::test

// SPDX-License-Identifier: MIT
#include <algorithm>

#include "c_api/handles.h"

namespace {

using namespace swapmq;
using namespace swapmq::c_api;

std::int64_t size_of(std::uint64_t size, Precision precision) {
  return precision == Precision::unknown ? SWAPMQ_MQ_UNKNOWN : static_cast<std::int64_t>(size);
}

} // namespace

std::int32_t swapmq_mq_create_queue(swapmq_mq* mq, const char* queue, std::int64_t timeout_ms,
                                    char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("create_queue: mq is NULL", text);
  return guarded(
      text, [&] { return leave(mq->queue.create_queue(view(queue), wait_of(timeout_ms)), text); });
}

std::int32_t swapmq_mq_delete_queue(swapmq_mq* mq, const char* queue, std::int64_t timeout_ms,
                                    char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("delete_queue: mq is NULL", text);
  return guarded(
      text, [&] { return leave(mq->queue.delete_queue(view(queue), wait_of(timeout_ms)), text); });
}

std::int32_t swapmq_mq_queue_stats(swapmq_mq* mq, const char* queue, std::int64_t timeout_ms,
                                   swapmq_mq_stats* stats, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || stats == nullptr) return refuse("queue_stats: mq or stats is NULL", text);
  const std::size_t room = stats->struct_size;
  if (room < sizeof stats->struct_size) {
    return refuse("struct_size of the stats is not sizeof(swapmq_mq_stats)", text);
  }
  return guarded(text, [&] {
    const auto read = mq->queue.stats(view(queue), wait_of(timeout_ms));
    if (!read) return leave(read.error(), text);
    swapmq_mq_stats known{};
    known.struct_size = room;
    known.ready = size_of(read->ready, read->ready_precision);
    known.unacked = size_of(read->unacked, read->unacked_precision);
    known.delayed = size_of(read->delayed, read->delayed_precision);
    known.exists = read->exists ? 1 : 0;
    const auto all = {read->ready_precision, read->unacked_precision, read->delayed_precision};
    const bool approximate = std::find(all.begin(), all.end(), Precision::approximate) != all.end();
    known.exact = approximate ? 0 : 1;
    std::memcpy(stats, &known, std::min(room, sizeof known));
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_purge_queue(swapmq_mq* mq, const char* queue, std::int64_t timeout_ms,
                                   std::uint64_t* removed, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr) return refuse("purge_queue: mq is NULL", text);
  return guarded(text, [&] {
    const auto purged = mq->queue.purge(view(queue), wait_of(timeout_ms));
    if (!purged) return leave(purged.error(), text);
    if (removed != nullptr) *removed = *purged;
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_list_queues(swapmq_mq* mq, std::int64_t timeout_ms,
                                   void (*each)(void* context, const char* name,
                                                std::size_t name_size),
                                   void* context, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || each == nullptr) return refuse("list_queues: mq or each is NULL", text);
  return guarded(text, [&] {
    const auto names = mq->queue.list_queues(wait_of(timeout_ms));
    if (!names) return leave(names.error(), text);
    for (const std::string& name : *names) each(context, name.data(), name.size());
    return leave({}, text);
  });
}

std::int32_t swapmq_mq_list_groups(swapmq_mq* mq, const char* queue,
                                   void (*each)(void* context, const char* name,
                                                std::size_t name_size),
                                   void* context, char* error, std::size_t error_size) {
  const Text text{error, error_size};
  if (mq == nullptr || each == nullptr) return refuse("list_groups: mq or each is NULL", text);
  return guarded(text, [&] {
    const auto names = mq->queue.groups(view(queue));
    for (const std::string& name : names) each(context, name.data(), name.size());
    return leave({}, text);
  });
}

// SPDX-License-Identifier: MIT
#include "message_batch.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "database.hpp"
#include "record.hpp"

namespace swapmq::sqlite {
namespace {

constexpr std::size_t kLargestBlock = 256 * 1024;

std::string_view copy_to(char*& to, std::string_view from) {
  if (from.empty()) return {};
  std::memcpy(to, from.data(), from.size());
  const std::string_view copied(to, from.size());
  to += from.size();
  return copied;
}

} // namespace

MessageRow read_row(const Query& query, int first) {
  MessageRow row;
  row.key = query.integer(first);
  row.id = query.blob(first + 1);
  row.sent_ms = query.integer(first + 2);
  row.expires_ms = query.integer(first + 3);
  row.extra = query.blob(first + 4);
  row.checksum = query.integer(first + 5);
  row.body = query.blob(first + 6);
  return row;
}

char* Arena::allocate(std::size_t bytes) {
  constexpr std::size_t kAlign = alignof(std::max_align_t);
  bytes = (bytes + kAlign - 1) / kAlign * kAlign;
  if (bytes > left_) {
    const std::size_t size = std::max(bytes, next_block_);
    next_block_ = std::min(next_block_ * 2, kLargestBlock);
    // Not value-initialised: all of it is written before it is read.
    blocks_.emplace_back(new char[size]);
    at_ = blocks_.back().get();
    left_ = size;
  }
  char* const given = at_;
  at_ += bytes;
  left_ -= bytes;
  return given;
}

bool MessageBatch::add(const MessageRow& row, int64_t claim, int64_t counted, bool handed,
                       int64_t due_ms) {
  const uint32_t expected =
      checksum_of(row.key, row.id, row.sent_ms, row.expires_ms, row.extra, row.body);
  if (int64_t{expected} != row.checksum) return false;
  const int64_t headers = count_headers(row.extra);
  if (headers < 0) return false;

  char* bytes = arena_.allocate(row.id.size() + row.extra.size() + row.body.size());
  auto* message = new (arena_.allocate(sizeof(swapmq_message))) swapmq_message{};
  message->id = backend::bytes(copy_to(bytes, row.id));
  message->body = backend::bytes(copy_to(bytes, row.body));
  message->timestamp_ms = row.sent_ms;
  message->expires_at_ms = row.expires_ms;
  message->priority = priority_of_lane(lane_of_key(row.key));
  swapmq_header* header_array = nullptr;
  if (headers > 0) {
    char* memory = arena_.allocate(static_cast<std::size_t>(headers) * sizeof(swapmq_header));
    header_array = reinterpret_cast<swapmq_header*>(memory);
  }
  decode_extra(copy_to(bytes, row.extra), *message, header_array);
  if (due_ms != 0) message->due_at_ms = due_ms;

  // What it was counted before it was moved here, and what it was counted here.
  const uint64_t count = uint64_t{message->delivery_count} + static_cast<uint64_t>(counted) + 1;
  handed = handed || message->delivery_count > 0;
  char receipt[Receipt::kBytes];
  Batch::add(message, Receipt{row.key, claim}.encode(receipt),
             static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX)),
             handed ? SWAPMQ_DELIVERY_REDELIVERED : 0u);
  body_bytes_ += row.body.size();
  return true;
}

} // namespace swapmq::sqlite

// SPDX-License-Identifier: MIT
//
// Deliveries with the memory that they point into; outlives session and backend if need be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "keys.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

/// Memory that is given back all at once.
class Arena {
 public:
  /// Aligned for anything.
  char* allocate(std::size_t bytes);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t next_block_ = 4096;
};

/// The columns of a message's row, as views of SQLite's memory.
struct MessageRow {
  int64_t key = 0;
  std::string_view id;
  int64_t sent_ms = 0;
  int64_t expires_ms = 0;
  std::string_view extra;
  int64_t checksum = 0;
  std::string_view body;
};

class Query;
/// The columns from `first` on: key, id, sent_ms, expires_ms, extra, checksum, body.
MessageRow read_row(const Query& query, int first);

class MessageBatch final : public backend::Batch {
 public:
  /// Copies the row into the batch. False if its checksum says that it is damaged: then nothing was
  /// added.
  [[nodiscard]] bool add(const MessageRow& row, int64_t claim, int64_t counted, bool handed) {
    return add(row, claim, counted, handed, 0);
  }
  /// As one that is due at `due_ms`, whatever it was published with; 0: as that.
  [[nodiscard]] bool add(const MessageRow& row, int64_t claim, int64_t counted, bool handed,
                         int64_t due_ms);
  [[nodiscard]] uint64_t body_bytes() const { return body_bytes_; }

 private:
  Arena arena_;
  uint64_t body_bytes_ = 0;
};

} // namespace swapmq::sqlite

// SPDX-License-Identifier: MIT
//
// Replies of the server, parsed by hiredis' reader into memory of our own that a batch of
// deliveries can keep: the strings are copied once, from the reader's buffer to where the host sees
// them.
#pragma once

#include <hiredis/read.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "network/arena.hpp"

namespace swapmq::redis {

/// A reply (RESP2), or one within an array.
struct Reply {
  int type = REDIS_REPLY_NIL; // REDIS_REPLY_*
  uint32_t count = 0;         // of an array
  int64_t integer = 0;
  std::string_view text; // of a string, a status, an error
  Reply* first = nullptr;
  Reply* last = nullptr;
  Reply* next = nullptr; // in the array that it is in

  [[nodiscard]] bool is_error() const { return type == REDIS_REPLY_ERROR; }
  [[nodiscard]] bool is_array() const { return type == REDIS_REPLY_ARRAY; }
  [[nodiscard]] bool is_integer() const { return type == REDIS_REPLY_INTEGER; }
  [[nodiscard]] bool is_text() const {
    return type == REDIS_REPLY_STRING || type == REDIS_REPLY_STATUS;
  }
  [[nodiscard]] bool is_nil() const { return type == REDIS_REPLY_NIL; }
};

using network::Arena;

/// A reply and the memory that it is in.
struct OwnedReply {
  std::unique_ptr<Arena> arena;
  const Reply* root = nullptr;

  explicit operator bool() const { return root != nullptr; }
  const Reply* operator->() const { return root; }
  const Reply& operator*() const { return *root; }
};

/// What matters of a reply where only success or failure counts.
struct Brief {
  int type = REDIS_REPLY_NIL;
  int64_t integer = 0;
  std::string text; // of an error; of a status or string only its first bytes
};

/// Turns bytes into replies. Throws ConnectionLost where they are no RESP or too much: then the
/// connection they came from is of no further use.
class ReplyReader {
 public:
  /// The most memory that one reply may take, here and again in hiredis' buffer: what a hostile
  /// server can make us hold.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 30;

  /// `origin` names the server in errors.
  explicit ReplyReader(std::string origin, std::size_t most_bytes = kMostBytes);
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  void feed(const char* data, std::size_t size);
  /// The next whole reply, if it is there; one that begins with next(), or with a Brief, must end
  /// with it.
  OwnedReply next(std::size_t most_bytes = kMostBytes);
  bool next(Brief& brief);
  /// What was fed that no reply was made of yet, for another reader. Lives until the next feed().
  std::string_view take_rest();
  /// Whether bytes were fed that no reply was made of yet.
  [[nodiscard]] bool has_rest() const {
    return held_at_ < held_.size() || reader_->pos < reader_->len || arena_ != nullptr;
  }

 private:
  struct Free {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };
  struct Functions;
  void* parse(redisReplyObjectFunctions& functions);
  bool next_string(Brief& brief);
  void refuse_endless(std::size_t most_bytes) const;
  [[noreturn]] void broken(const std::string& what) const;

  std::string origin_;
  std::size_t bound_;
  std::size_t most_bytes_; // of the reply that is being read
  std::string held_;       // fed, and not yet given to reader_
  std::size_t held_at_ = 0;
  std::unique_ptr<redisReader, Free> reader_;
  std::unique_ptr<Arena> arena_; // of the reply that is being read
  std::size_t next_block_ = 1024;
  Brief* brief_ = nullptr;
};

} // namespace swapmq::redis

// SPDX-License-Identifier: MIT
//
// Replies of the server, parsed by hiredis' reader into memory of our own that a batch of
// deliveries can keep: the strings are copied once, from the reader's buffer to where the host sees
// them.
#pragma once

#include <hiredis/read.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

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

/// Memory of one reply and of what is made of it; all of it goes at once.
class Arena {
 public:
  explicit Arena(std::size_t first_block) : next_block_(first_block) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Value-initialized.
  template <class T>
  T* make(std::size_t count = 1) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
    T* first = reinterpret_cast<T*>(take(count * sizeof(T), alignof(T)));
    std::uninitialized_value_construct_n(first, count);
    return first;
  }
  std::string_view copy(const char* data, std::size_t size) {
    if (size == 0) return {};
    char* to = take(size, 1);
    std::memcpy(to, data, size);
    return {to, size};
  }
  /// Keeps memory that others have filled.
  void adopt(std::unique_ptr<char[]> block) {
    blocks_.push_back(std::move(block));
    at_ = end_ = 0; // nothing more is taken of it
  }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  char* take(std::size_t size, std::size_t alignment) {
    std::size_t at = (at_ + alignment - 1) & ~(alignment - 1);
    if (at > end_ || end_ - at < size) at = grow(size);
    at_ = at + size;
    used_ += size;
    return blocks_.back().get() + at;
  }
  std::size_t grow(std::size_t size);

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t at_ = 0; // in the last block
  std::size_t end_ = 0;
  std::size_t next_block_;
  std::size_t used_ = 0;
};

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

// SPDX-License-Identifier: MIT
#include "reply.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "network/failures.hpp"
#include "resp.hpp"

namespace swapmq::redis {
namespace {

constexpr std::size_t kMostBriefText = 512;

} // namespace

/// What hiredis calls for each element. A null result means "out of memory" to it.
struct ReplyReader::Functions {
  /// Of RESP3, which hiredis reads since 1.0 and nobody asked for; or an array deeper than any that
  /// is due, which hiredis bounds no longer.
  static bool is_foreign(const redisReadTask& task) {
    if (task.type > REDIS_REPLY_ERROR) return true;
    if (task.type != REDIS_REPLY_ARRAY) return false;
    constexpr int kDeepest = 8;
    int depth = 0;
    for (const redisReadTask* at = task.parent; at != nullptr; at = at->parent) ++depth;
    return depth >= kDeepest;
  }

  static Reply* add(const redisReadTask* task) {
    auto* self = static_cast<ReplyReader*>(task->privdata);
    if (is_foreign(*task) || self->arena_->used() > self->most_bytes_) return nullptr;
    Reply* made = self->arena_->make<Reply>();
    made->type = task->type;
    if (task->parent == nullptr) return made;
    auto* parent = static_cast<Reply*>(task->parent->obj);
    (parent->first == nullptr ? parent->first : parent->last->next) = made;
    parent->last = made;
    return made;
  }

  template <class Body>
  static void* guarded(Body&& body) noexcept {
    try {
      return body();
    } catch (...) { // C calls us
      return nullptr;
    }
  }

  static void* string(const redisReadTask* task, char* data, std::size_t size) noexcept {
    return guarded([&]() -> void* {
      auto* self = static_cast<ReplyReader*>(task->privdata);
      if (size > self->most_bytes_) return nullptr;
      Reply* made = add(task);
      if (made != nullptr) made->text = self->arena_->copy(data, size);
      return made;
    });
  }

  template <class Size> // int in hiredis 0.14, size_t since 1.0
  static void* array(const redisReadTask* task, Size count) noexcept {
    return guarded([&]() -> void* {
      Reply* made = add(task);
      if (made != nullptr) made->count = static_cast<uint32_t>(count);
      return made;
    });
  }

  static void* integer(const redisReadTask* task, long long value) noexcept {
    return guarded([&]() -> void* {
      Reply* made = add(task);
      if (made != nullptr) made->integer = value;
      return made;
    });
  }

  static void* nil(const redisReadTask* task) noexcept {
    return guarded([&]() -> void* {
      Reply* made = add(task);
      if (made != nullptr) made->type = REDIS_REPLY_NIL; // the task says what it is not one of
      return made;
    });
  }

  static void free(void* /*reply*/) noexcept {} // the arena has it

  // ---- the brief ones: only the outermost reply is looked at ----

  static void* brief(const redisReadTask* task, int type, int64_t integer = 0,
                     std::string_view text = {}) noexcept {
    return guarded([&]() -> void* {
      if (is_foreign(*task)) return nullptr;
      Brief& made = *static_cast<ReplyReader*>(task->privdata)->brief_;
      if (task->parent == nullptr) {
        made.type = type;
        made.integer = integer;
        made.text.assign(text.substr(0, kMostBriefText));
      }
      return &made;
    });
  }
  static void* brief_string(const redisReadTask* task, char* data, std::size_t size) noexcept {
    return brief(task, task->type, 0, {data, size});
  }
  template <class Size>
  static void* brief_array(const redisReadTask* task, Size /*count*/) noexcept {
    return brief(task, task->type);
  }
  static void* brief_integer(const redisReadTask* task, long long value) noexcept {
    return brief(task, task->type, value);
  }
  static void* brief_nil(const redisReadTask* task) noexcept {
    return brief(task, REDIS_REPLY_NIL);
  }

  /// Without them hiredis would give us what is no pointer.
  template <class All>
  static void refuse_resp3(All& functions) {
    if constexpr (requires { functions.createDouble; }) {
      functions.createDouble = [](const auto*, double, char*, std::size_t) -> void* {
        return nullptr;
      };
      functions.createBool = [](const auto*, int) -> void* { return nullptr; };
    }
  }

  static redisReplyObjectFunctions whole() {
    redisReplyObjectFunctions functions{};
    refuse_resp3(functions);
    functions.createString = &string;
    functions.createArray = &array;
    functions.createInteger = &integer;
    functions.createNil = &nil;
    functions.freeObject = &free;
    return functions;
  }
  static redisReplyObjectFunctions briefs() {
    redisReplyObjectFunctions functions{};
    refuse_resp3(functions);
    functions.createString = &brief_string;
    functions.createArray = &brief_array;
    functions.createInteger = &brief_integer;
    functions.createNil = &brief_nil;
    functions.freeObject = &free;
    return functions;
  }
};

ReplyReader::ReplyReader(std::string origin, std::size_t most_bytes)
    : origin_(std::move(origin)),
      bound_(most_bytes),
      most_bytes_(most_bytes),
      reader_(redisReaderCreateWithFunctions(nullptr)) {
  if (reader_ == nullptr) throw std::bad_alloc();
  reader_->privdata = this;
}

void ReplyReader::broken(const std::string& what) const {
  throw network::ConnectionLost("Redis at " + origin_ + " sent what is no reply (" + what +
                                "): is that a Redis server?");
}

void ReplyReader::feed(const char* data, std::size_t size) {
  if (reader_->len - reader_->pos + held_.size() - held_at_ + size > bound_) {
    broken("more than " + std::to_string(bound_ >> 20) + " MiB in one");
  }
  if (held_at_ == held_.size()) {
    held_.clear();
    held_at_ = 0;
  }
  held_.append(data, size);
}

/// Of the rest, which is the beginning of a reply.
void ReplyReader::refuse_endless(std::size_t most_bytes) const {
  constexpr std::size_t kLongestLine = 64 * 1024;
  const std::size_t rest = reader_->len - reader_->pos;
  if (rest > most_bytes) broken("too large");
  if (rest <= kLongestLine) return;
  // hiredis looks for the end of a line from its beginning with every piece that comes: of one that
  // is long enough that takes all our time. Of a bulk string the line is its length.
  if (std::memchr(reader_->buf + reader_->pos, '\r', kLongestLine) == nullptr) {
    broken("a line without an end");
  }
}

void* ReplyReader::parse(redisReplyObjectFunctions& functions) {
  if (held_at_ < held_.size()) {
    const std::string_view rest = std::string_view(held_).substr(held_at_);
    held_at_ = held_.size();
    if (redisReaderFeed(reader_.get(), rest.data(), rest.size()) != 0) broken(reader_->errstr);
  }
  reader_->fn = &functions;
  void* reply = nullptr;
  if (redisReaderGetReply(reader_.get(), &reply) != 0) {
    if (reader_->err == REDIS_ERR_OOM) broken("too large, or of RESP3");
    broken(reader_->errstr);
  }
  if (reply == nullptr) refuse_endless(most_bytes_);
  return reply;
}

OwnedReply ReplyReader::next(std::size_t most_bytes) {
  if (!has_rest()) return {};
  if (arena_ == nullptr) arena_ = std::make_unique<Arena>(next_block_);
  most_bytes_ = std::min(most_bytes, bound_);
  static redisReplyObjectFunctions functions = Functions::whole();
  const auto* root = static_cast<const Reply*>(parse(functions));
  if (root == nullptr) return {};
  // The next reply is most likely about as large as this one.
  constexpr std::size_t kLargest = 256 * 1024;
  next_block_ = std::clamp<std::size_t>(arena_->used() + arena_->used() / 4, 1024, kLargest);
  return {std::move(arena_), root};
}

std::string_view ReplyReader::take_rest() {
  if (reader_->pos == reader_->len) {
    return std::string_view(held_).substr(std::exchange(held_at_, held_.size()));
  }
  held_.erase(0, held_at_);
  held_.insert(0, reader_->buf + reader_->pos, reader_->len - reader_->pos);
  reader_->pos = reader_->len;
  held_at_ = held_.size();
  return held_;
}

/// A short string, as an XADD is answered with: hiredis takes six times as long for it.
bool ReplyReader::next_string(Brief& brief) {
  if (reader_->pos < reader_->len || reader_->ridx >= 0) return false; // it is in the midst of one
  const char* at = held_.data() + held_at_;
  std::string_view text;
  if (read_bulk(at, held_.data() + held_.size(), text) != Found::whole) return false;
  if (text.size() > kMostBriefText) return false;
  held_at_ = static_cast<std::size_t>(at - held_.data());
  brief.type = REDIS_REPLY_STRING;
  brief.integer = 0;
  brief.text.assign(text);
  return true;
}

bool ReplyReader::next(Brief& brief) {
  if (!has_rest()) return false;
  if (next_string(brief)) return true;
  brief_ = &brief;
  constexpr std::size_t kMostOfBrief = 1024 * 1024; // at a time; elements of arrays are forgotten
  most_bytes_ = std::min(kMostOfBrief, bound_);
  static redisReplyObjectFunctions functions = Functions::briefs();
  return parse(functions) != nullptr;
}

} // namespace swapmq::redis

// SPDX-License-Identifier: MIT
//
// The answer to an XREADGROUP of one stream, which is nearly all that a consumer receives: read
// where it arrived, without a copy, as it comes. The messages point into the memory that was
// received into, which a batch of deliveries keeps. All other replies go by reply.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entry.hpp"
#include "entry_id.hpp"
#include "reply.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

/// Throws ConnectionLost where what came is no such answer, or too much: then the connection is of
/// no further use.
class ReadAnswer {
 public:
  enum class State {
    awaited, // not all of it is here
    entries,
    nothing, // the time to wait for some was over
    refused,
  };
  struct Entry {
    EntryId id;
    swapmq_message* message;
    bool good; // or else: undecodable
  };

  explicit ReadAnswer(std::size_t most_bytes = ReplyReader::kMostBytes) : most_bytes_(most_bytes) {}

  /// Of a new one; `first` is what has come of it so far.
  State begin(std::string_view first);
  /// Where to receive to; never empty.
  std::span<char> room();
  State received(std::size_t size);

  [[nodiscard]] State state() const { return state_; }
  /// Whether some of it is here, and the rest not yet.
  [[nodiscard]] bool is_under_way() const { return state_ == State::awaited && bytes_ > 0; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  /// Received so far.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The memory of the entries, once they are all here.
  std::shared_ptr<Arena> take_memory() { return std::move(arena_); }

 private:
  enum class Part { outermost, stream, key, entries, entry, id, fields, field, over };

  bool step();
  bool outermost();
  bool number_line(char kind, int64_t least, int64_t most, int64_t& number);
  bool bulk(std::string_view& text);
  bool array_of(int64_t count, Part next);
  bool next_field();
  void finish_entry();
  void end(State state);
  [[nodiscard]] std::string_view rest() const { return {block_.get() + at_, end_ - at_}; }

  const std::size_t most_bytes_;
  State state_ = State::nothing;
  Part part_ = Part::over;
  std::size_t bytes_ = 0;
  std::size_t next_block_ = 2048; // bytes

  std::unique_ptr<char[]> block_; // the last one; those before it are the arena's
  std::size_t size_ = 0;
  std::size_t end_ = 0;        // up to where it is filled
  std::size_t at_ = 0;         // up to where it was read
  std::size_t entry_at_ = 0;   // where the entry begins that is being read, or what follows
  bool holds_entries_ = false; // whole ones, so that it must be kept

  int64_t entries_left_ = 0;
  int64_t fields_left_ = 0;     // names and values
  std::vector<FieldAt> fields_; // of the entry that is being read, from entry_at_
  FieldAt id_{};
  std::vector<Entry> entries_;
  std::shared_ptr<Arena> arena_;
  std::string refusal_;
};

} // namespace swapmq::redis

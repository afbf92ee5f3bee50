// SPDX-License-Identifier: MIT
#include "read_answer.hpp"

#include <algorithm>
#include <cstring>

#include "answers.hpp"
#include "resp.hpp"

namespace swapmq::redis {
namespace {

constexpr std::string_view kReading = "to read";
constexpr std::size_t kLargestHint = 256 * 1024;
constexpr std::size_t kSmallestBlock = 2048;
constexpr std::size_t kLongestRefusal = 64 * 1024;

/// Throws where there is something else.
bool is_whole(Found found) {
  if (found == Found::wrong) no_answer(kReading);
  return found == Found::whole;
}

} // namespace

ReadAnswer::State ReadAnswer::begin(std::string_view first) {
  state_ = State::awaited;
  part_ = Part::outermost;
  bytes_ = 0;
  block_.reset();
  size_ = end_ = at_ = entry_at_ = 0;
  holds_entries_ = false;
  entries_.clear();
  refusal_.clear();
  arena_ = std::make_shared<Arena>(kSmallestBlock);
  while (!first.empty() && state_ == State::awaited) {
    const std::span<char> to = room();
    const std::size_t part = std::min(first.size(), to.size());
    std::memcpy(to.data(), first.data(), part);
    first.remove_prefix(part);
    received(part);
  }
  if (!first.empty()) no_answer(kReading);
  return state_;
}

std::span<char> ReadAnswer::room() {
  if (end_ == size_) {
    // What is not whole moves on: views of it could not reach over two blocks. Twice as large each
    // time, and never by what the server says will come.
    const std::size_t moved = end_ - entry_at_;
    const std::size_t size = std::max(next_block_, 2 * moved);
    std::unique_ptr<char[]> block(new char[size]); // not zeroed
    if (moved > 0) std::memcpy(block.get(), block_.get() + entry_at_, moved);
    if (holds_entries_) arena_->adopt(std::move(block_));
    block_ = std::move(block);
    size_ = size;
    end_ = moved;
    at_ -= entry_at_;
    entry_at_ = 0;
    holds_entries_ = false;
  }
  return {block_.get() + end_, size_ - end_};
}

ReadAnswer::State ReadAnswer::received(std::size_t size) {
  if (state_ != State::awaited) no_answer(kReading); // nobody asked for more
  end_ += size;
  bytes_ += size;
  while (state_ == State::awaited && step()) {
  }
  if (state_ == State::awaited && bytes_ > most_bytes_) no_answer("to read: too large");
  return state_;
}

/// Reads one part; false if it is not all here.
bool ReadAnswer::step() {
  std::string_view text;
  switch (part_) {
    case Part::outermost:
      return outermost();
    case Part::stream:
      return array_of(2, Part::key);
    case Part::key:
      if (!bulk(text)) return false;
      part_ = Part::entries;
      return true;
    case Part::entries:
      if (!number_line('*', 0, kLongestResp, entries_left_)) return false;
      part_ = Part::entry;
      break;
    case Part::entry:
      return array_of(2, Part::id);
    case Part::id:
      if (!bulk(text)) return false;
      id_ = {static_cast<std::size_t>(text.data() - block_.get()) - entry_at_, text.size()};
      part_ = Part::fields;
      return true;
    case Part::fields:
      if (!number_line('*', -1, kLongestResp, fields_left_)) return false;
      fields_.clear();
      part_ = Part::field;
      if (fields_left_ <= 0) finish_entry();
      break;
    case Part::field:
      if (!next_field()) return false;
      break;
    case Part::over:
      return false;
  }
  if (part_ == Part::entry) {
    entry_at_ = at_;
    if (entries_left_ == 0) end(State::entries);
  }
  return true;
}

bool ReadAnswer::outermost() {
  const std::string_view here = rest();
  if (here.empty()) return false;
  if (here.front() == '-') {
    const std::size_t line = here.find('\n');
    if (line == std::string_view::npos) {
      if (here.size() > kLongestRefusal) no_answer(kReading);
      return false;
    }
    refusal_ = here.substr(1, here.substr(1, line).find_first_of("\r\n"));
    at_ += line + 1;
    end(State::refused);
    return true;
  }
  int64_t number = 0;
  if (!number_line(here.front() == '$' ? '$' : '*', -1, 1, number)) return false;
  if (number == -1) {
    end(State::nothing);
  } else if (here.front() == '$' || number != 1) { // its name and its entries, of one stream
    no_answer(kReading);
  } else {
    part_ = Part::stream;
  }
  return true;
}

bool ReadAnswer::array_of(int64_t count, Part next) {
  int64_t number = 0;
  if (!number_line('*', count, count, number)) return false;
  part_ = next;
  return true;
}

bool ReadAnswer::number_line(char kind, int64_t least, int64_t most, int64_t& number) {
  const char* at = block_.get() + at_;
  if (!is_whole(read_number(at, block_.get() + end_, kind, number))) return false;
  if (number < least || number > most) no_answer(kReading);
  at_ = static_cast<std::size_t>(at - block_.get());
  return true;
}

bool ReadAnswer::bulk(std::string_view& text) {
  const char* at = block_.get() + at_;
  if (!is_whole(read_bulk(at, block_.get() + end_, text))) return false;
  at_ = static_cast<std::size_t>(at - block_.get());
  return true;
}

bool ReadAnswer::next_field() {
  const char* const base = block_.get() + entry_at_;
  const char* const end = block_.get() + end_;
  const char* at = block_.get() + at_;
  std::string_view text;
  for (; fields_left_ > 0 && is_whole(read_bulk(at, end, text)); --fields_left_) {
    fields_.push_back({static_cast<std::size_t>(text.data() - base), text.size()});
  }
  at_ = static_cast<std::size_t>(at - block_.get());
  if (fields_left_ > 0) return false;
  finish_entry();
  return true;
}

void ReadAnswer::finish_entry() {
  const char* base = block_.get() + entry_at_;
  const std::string_view id(base + id_.at, id_.size);
  Entry entry{{}, arena_->make<swapmq_message>(), false};
  if (!parse(id, entry.id)) no_answer(kReading);
  entry.good = decode(id, base, fields_, *arena_, *entry.message);
  entries_.push_back(entry);
  holds_entries_ = true;
  --entries_left_;
  part_ = Part::entry;
}

void ReadAnswer::end(State state) {
  if (at_ < end_) no_answer(kReading);
  state_ = state;
  part_ = Part::over;
  if (holds_entries_) arena_->adopt(std::move(block_));
  size_ = end_ = at_ = entry_at_ = 0;
  holds_entries_ = false;
  // The next one is most likely about as large as this one.
  next_block_ = std::clamp<std::size_t>(bytes_ + bytes_ / 4, kSmallestBlock, kLargestHint);
}

} // namespace swapmq::redis

// SPDX-License-Identifier: MIT
#include "redis_target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "commands.hpp"
#include "entry.hpp"
#include "network/failures.hpp"
#include "read_answer.hpp"
#include "reply.hpp"

namespace swapmq::fuzz {
namespace {

using backend::view;
using network::ConnectionLost;
using redis::Brief;
using redis::OwnedReply;
using redis::ReadAnswer;
using redis::Reply;
using redis::ReplyReader;

// Inputs stay below what the reader refuses for its size, so that pieces make no difference.
constexpr std::size_t kMostInput = 32 * 1024;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "redis: %s\n", what);
  std::abort();
}

void show(const Reply& reply, std::string& out, int depth = 0) {
  demand(depth < 10, "a reply nested deeper than hiredis allows");
  out += std::to_string(reply.type) + "," + std::to_string(reply.integer) + ",";
  out += reply.text;
  uint32_t count = 0;
  const Reply* last = nullptr;
  for (const Reply* at = reply.first; at != nullptr; last = at, at = at->next, ++count) {
    show(*at, out, depth + 1);
  }
  demand(count == reply.count, "an array of another length than it says");
  demand(last == reply.last, "an array whose last element is not its last");
  demand(count == 0 || reply.is_array(), "elements of what is no array");
  out += ";";
}

void check_text_of(const ConnectionLost& lost) {
  for (const char* at = lost.what(); *at != '\0'; ++at) {
    demand(static_cast<unsigned char>(*at) >= 0x20, "an error holds a control character");
  }
}

struct Outermost {
  int type;
  int64_t integer;
  std::string text;
  bool operator==(const Outermost&) const = default;
};

struct Read {
  std::string all; // replies, shown
  std::vector<Outermost> outermost;
  bool refused = false;
};

Read read_whole(std::string_view bytes, std::size_t piece) {
  Read read;
  ReplyReader reader("h");
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::string_view part = bytes.substr(at, piece);
      reader.feed(part.data(), part.size());
      while (const OwnedReply reply = reader.next()) {
        show(*reply, read.all);
        const bool has_text = reply->is_text() || reply->is_error();
        read.outermost.push_back(
            {reply->type, reply->integer, has_text ? std::string(reply->text.substr(0, 512)) : ""});
      }
    }
  } catch (const ConnectionLost& lost) {
    check_text_of(lost);
    read.refused = true;
  }
  return read;
}

Read read_brief(std::string_view bytes, std::size_t piece) {
  Read read;
  ReplyReader reader("h");
  Brief brief;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::string_view part = bytes.substr(at, piece);
      reader.feed(part.data(), part.size());
      while (reader.next(brief)) read.outermost.push_back({brief.type, brief.integer, brief.text});
    }
  } catch (const ConnectionLost& lost) {
    check_text_of(lost);
    read.refused = true;
  }
  return read;
}

void check_message(const swapmq_message& message, bool good, std::size_t fields) {
  demand(message.id.size >= 1 && message.id.size <= 255, "an id that is not 1 to 255 bytes");
  demand(message.priority <= 9, "a priority above 9");
  demand(message.header_count <= fields / 2 + 1, "more headers than fields");
  bool says_why = false;
  const backend::Headers headers = backend::headers_of(message);
  std::string all; // so that each byte is read
  for (std::size_t i = 0; i < headers.size(); ++i) {
    demand(headers[i].name.size >= 1 && headers[i].name.size <= 255, "a header without a name");
    says_why = says_why || view(headers[i].name) == SWAPMQ_UNDECODABLE_HEADER;
    all += std::string(view(headers[i].name)) + std::string(view(headers[i].value));
  }
  demand(good || says_why, "an entry is undecodable, and nothing says why");
  for (const swapmq_bytes& bytes :
       {message.id, message.body, message.ordering_key, message.correlation_id, message.reply_to,
        message.content_type}) {
    all += view(bytes);
  }
}

/// What was decoded is written as an entry that is decoded to the same.
void check_round_trip(const swapmq_message& message) {
  redis::Commands commands;
  commands.begin(redis::field_arguments(message));
  redis::append_fields(commands, message);
  ReplyReader reader("h");
  reader.feed(commands.bytes().data(), commands.bytes().size());
  const OwnedReply reply = reader.next();
  demand(static_cast<bool>(reply), "an entry of ours is no reply");
  swapmq_message again{};
  demand(redis::decode("1-1", *reply, *reply.arena, again), "an entry of ours is undecodable");
  demand(view(again.id) == view(message.id) && view(again.body) == view(message.body) &&
             again.timestamp_ms == message.timestamp_ms &&
             again.delivery_count == message.delivery_count &&
             again.expires_at_ms == message.expires_at_ms &&
             again.header_count == message.header_count,
         "an entry of ours is decoded to another message");
}

void try_entries(const Reply& reply, redis::Arena& arena) {
  swapmq_message message{};
  const bool good = redis::decode("1700000000000-5", reply, arena, message);
  check_message(message, good, reply.count);
  if (good) check_round_trip(message);
  for (const Reply* at = reply.first; at != nullptr; at = at->next) try_entries(*at, arena);
}

/// The first answer to a read in it, shown as show() does; "refused" if it is none, "" if it is not
/// whole.
std::string read_answer(std::string_view bytes, std::size_t piece) {
  ReadAnswer answer;
  std::string shown;
  try {
    ReadAnswer::State state = answer.begin({});
    for (std::size_t at = 0; at < bytes.size() && state == ReadAnswer::State::awaited;) {
      const std::span<char> room = answer.room();
      const std::size_t size = std::min({room.size(), piece, bytes.size() - at});
      std::copy_n(bytes.data() + at, size, room.data());
      state = answer.received(size);
      at += size;
    }
    if (state == ReadAnswer::State::awaited) return "";
    shown = std::to_string(static_cast<int>(state)) + answer.refusal();
    const std::shared_ptr<redis::Arena> memory = answer.take_memory();
    for (const ReadAnswer::Entry& entry : answer.entries()) {
      check_message(*entry.message, entry.good, bytes.size());
      if (entry.good) check_round_trip(*entry.message);
      shown += ";" + std::to_string(entry.id.ms) + "-" + std::to_string(entry.id.sequence) + "," +
               std::string(view(entry.message->id)) + "," + std::string(view(entry.message->body));
    }
  } catch (const ConnectionLost& lost) {
    check_text_of(lost);
    return "refused";
  }
  return shown;
}

/// What one reader takes for entries, the other does, too.
void compare_readers(std::string_view bytes) {
  const std::string shown = read_answer(bytes, kMostInput);
  if (!shown.starts_with(std::to_string(static_cast<int>(ReadAnswer::State::entries)))) return;
  ReplyReader reader("h");
  reader.feed(bytes.data(), bytes.size());
  const OwnedReply reply = reader.next();
  demand(reply && reply->is_array(), "hiredis takes entries for no array");
  std::string again = shown.substr(0, 1);
  for (const Reply* at = reply->first->last->first; at != nullptr; at = at->next) {
    swapmq_message message{};
    redis::EntryId id;
    demand(redis::parse(at->first->text, id), "an entry without an id");
    redis::decode(at->first->text, *at->first->next, *reply.arena, message);
    again += ";" + std::to_string(id.ms) + "-" + std::to_string(id.sequence) + "," +
             std::string(view(message.id)) + "," + std::string(view(message.body));
  }
  demand(again == shown, "hiredis' reader sees other entries");
}

} // namespace

void try_redis(std::string_view bytes) {
  bytes = bytes.substr(0, kMostInput);
  const Read whole = read_whole(bytes, kMostInput);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const Read again = read_whole(bytes, piece);
    demand(again.all == whole.all && again.refused == whole.refused, "pieces make a difference");
  }
  for (const std::size_t piece : {kMostInput, std::size_t{3}}) {
    const Read brief = read_brief(bytes, piece);
    demand(brief.outermost == whole.outermost && brief.refused == whole.refused,
           "brief replies are others than whole ones");
  }
  // In one piece there may be more than was asked for, which is refused.
  const std::string answer = read_answer(bytes, 1);
  const std::string at_once = read_answer(bytes, kMostInput);
  demand(answer == at_once || at_once == "refused", "pieces make a difference to an answer");
  compare_readers(bytes);
  ReplyReader reader("h");
  reader.feed(bytes.data(), bytes.size());
  try {
    while (const OwnedReply reply = reader.next()) try_entries(*reply, *reply.arena);
  } catch (const ConnectionLost&) { // as it was before
    return;
  }
}

} // namespace swapmq::fuzz

// SPDX-License-Identifier: MIT
#include "claimer.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "broker_error.hpp"
#include "declare.hpp"
#include "network/nonce.hpp"
#include "rabbit_batch.hpp"
#include "requests.hpp"
#include "session.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::DeadLetter;
using backend::Deadline;
using backend::Failure;
using network::ConnectionLost;

// Asked for before the first is here.
constexpr uint64_t kGetsAtOnce = 64;
constexpr uint64_t kGetsOfUnknownSize = 8;
constexpr uint16_t kSendOnChannel = 2; // of a claimer's connection
// Between looks for delay queues that somebody else has made. Each asks for every one that is not
// known, and what is not there is a line in the broker's log.
constexpr milliseconds kLookAtFirst(2000);
constexpr milliseconds kLookAtLast(600000);
// The largest message that any broker takes (max_message_size).
constexpr uint64_t kMaxBody = uint64_t{512} << 20;

[[noreturn]] void out_of_step() {
  throw ConnectionLost("RabbitMQ answered basic.get with something else");
}

swapmq_status status_of(const swapmq_publish_result& result) {
  if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) return SWAPMQ_OK;
  if (result.status == SWAPMQ_NOT_FOUND) return SWAPMQ_LOST; // its queue was deleted
  return result.status == SWAPMQ_OK ? SWAPMQ_UNAVAILABLE : result.status;
}

} // namespace

Claimer::Claimer(const ConsumerContext& context, RabbitQueue& queue)
    : context_(context),
      queue_(queue),
      link_(context.dialer, context.host),
      tags_(network::make_nonce()),
      look_every_(kLookAtFirst) {}

std::unique_ptr<backend::Batch> Claimer::claim(const backend::ClaimArgs& args, std::size_t room,
                                               Deadline deadline) {
  const std::size_t most = std::min(args.max_messages, room);
  if (most == 0) return nullptr;
  std::vector<Got> got;
  try {
    learn_places();
    get_all(got, args, most, deadline);
    if (got.empty() && look_for_more(deadline)) get_all(got, args, most, deadline);
  } catch (const ConnectionLost& failure) {
    lost(failure);
    throw;
  } catch (const ChannelClosed& closed) { // a delay queue was deleted at that moment
    link_.drop();
    lose_all();
    if (closed.closing().code != AMQP_NOT_FOUND) throw;
    return nullptr;
  } catch (...) { // such as a deadline that passed: what is on its way is given back
    link_.drop();
    lose_all();
    throw;
  }
  return got.empty() ? nullptr : hand_out(got);
}

// ---- where --------------------------------------------------------------------------------------

void Claimer::learn_places() {
  if (places_.empty()) {
    for (std::string& name : queue_.routes().delay_queue_names()) {
      places_.push_back({std::move(name), false});
    }
  }
  KnownDelays& known = context_.dialer.known_delays();
  for (Place& place : places_) place.exists = place.exists || known.has(place.name);
}

/// All queues, as the management API tells them; nothing: it does not.
std::optional<std::set<std::string>> Claimer::list(Deadline deadline) const {
  if (context_.management == nullptr) return std::nullopt;
  try {
    std::set<std::string> names;
    for (auto& queue : context_.management->list(deadline)) names.insert(std::move(queue.name));
    return names;
  } catch (const Failure& failure) {
    context_.host.log(SWAPMQ_LOG_WARN, failure.what());
    return std::nullopt;
  }
}

/// Whether any was found that was not known.
bool Claimer::look_for_more(Deadline deadline) {
  if (Clock::now() < look_at_) return false;
  bool found = false;
  const auto listed = list(deadline);
  for (Place& place : places_) {
    if (place.exists) continue;
    place.exists = !listed || listed->contains(place.name);
    if (!listed) ready_in(place, deadline); // says if it is not there
    if (!place.exists) continue;
    context_.dialer.known_delays().add(place.name);
    found = true;
  }
  look_every_ = found ? kLookAtFirst : std::min(2 * look_every_, kLookAtLast);
  look_at_ = Clock::now() + look_every_;
  return found;
}

/// How many wait there; 0 and not `exists` if there is no such queue.
uint64_t Claimer::ready_in(Place& place, Deadline deadline) {
  try {
    return over(context_.control, deadline,
                [&](Connection& control) { return look_at(control, place.name, deadline); })
        .ready;
  } catch (const ChannelClosed& closed) {
    if (closed.closing().code != AMQP_NOT_FOUND) throw;
    place.exists = false;
    context_.dialer.known_delays().remove(place.name);
    return 0;
  }
}

// ---- getting ------------------------------------------------------------------------------------

Connection& Claimer::attach(Deadline deadline) {
  Connection& connection = link_.open(deadline);
  if (attached_to_ == connection.serial()) return connection;
  lose_all();
  open_channel(connection, kConsumeChannel, deadline);
  attached_to_ = connection.serial();
  return connection;
}

/// From the shortest delays on, which are about those that are due first.
void Claimer::get_all(std::vector<Got>& got, const backend::ClaimArgs& args, std::size_t most,
                      Deadline deadline) {
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (is_full(got, args, most)) break;
    if (places_[place].exists) get_from(place, got, args, most, deadline);
  }
  put_back_rest(got, args, most, deadline);
}

void Claimer::get_from(std::size_t place, std::vector<Got>& got, const backend::ClaimArgs& args,
                       std::size_t most, Deadline deadline) {
  uint64_t ready = ready_in(places_[place], deadline);
  while (ready > 0 && !is_full(got, args, most)) {
    const uint64_t at_once = args.max_bytes == 0 ? kGetsAtOnce : kGetsOfUnknownSize;
    const uint64_t count = std::min({ready, uint64_t{most - got.size()}, at_once});
    Connection& connection = attach(deadline);
    amqp_basic_get_t get{};
    get.queue = amqp_bytes(places_[place].name);
    for (uint64_t i = 0; i < count; ++i) {
      connection.out().method(kConsumeChannel, AMQP_BASIC_GET_METHOD, get);
    }
    const std::size_t before = got.size();
    bool empty = false;
    for (uint64_t i = 0; i < count; ++i) {
      auto one = read_got(connection, place, deadline);
      if (one) got.push_back(std::move(*one));
      empty = empty || !one;
    }
    sift(got, before, deadline);
    ready = empty ? 0 : ready - count;
    places_[place].set_aside |= empty;
  }
  send_on(places_[place], deadline);
}

/// What a quorum queue finds to have ended when something is got from it, it only sets aside, and
/// passes it on with whatever happens there next; if that was the last it had, perhaps never
/// (RabbitMQ 3.10 to 4.1 at least). A consumer is something; what it may be pushed goes back with
/// its channel.
void Claimer::send_on(Place& place, Deadline deadline) {
  if (!place.set_aside) return;
  Connection& connection = attach(deadline);
  open_channel(connection, kSendOnChannel, deadline);
  request<amqp_basic_qos_ok_t>(connection, kSendOnChannel, AMQP_BASIC_QOS_METHOD,
                               amqp_basic_qos_t{0, 1, 0}, AMQP_BASIC_QOS_OK_METHOD, deadline);
  amqp_basic_consume_t consume{};
  consume.queue = amqp_bytes(place.name);
  request<amqp_basic_consume_ok_t>(connection, kSendOnChannel, AMQP_BASIC_CONSUME_METHOD, consume,
                                   AMQP_BASIC_CONSUME_OK_METHOD, deadline);
  amqp_channel_close_t close{};
  close.reply_code = AMQP_REPLY_SUCCESS;
  request<amqp_channel_close_ok_t>(connection, kSendOnChannel, AMQP_CHANNEL_CLOSE_METHOD, close,
                                   AMQP_CHANNEL_CLOSE_OK_METHOD, deadline);
  connection.channel(kSendOnChannel) = {};
  place.set_aside = false;
}

bool Claimer::is_full(const std::vector<Got>& got, const backend::ClaimArgs& args,
                      std::size_t most) {
  if (got.size() >= most) return true;
  if (args.max_bytes == 0) return false;
  uint64_t bytes = 0;
  for (const Got& one : got) bytes += one.message->body.size;
  return bytes >= args.max_bytes;
}

/// Nothing: there was none.
std::optional<Claimer::Got> Claimer::read_got(Connection& connection, std::size_t place,
                                              Deadline deadline) {
  const Frame frame = connection.read(deadline);
  if (frame.channel != kConsumeChannel || frame.type != kMethodFrame) out_of_step();
  if (frame.method() == AMQP_CHANNEL_CLOSE_METHOD) {
    throw ChannelClosed(connection.endpoint(), end_channel(connection, frame));
  }
  if (frame.method() == AMQP_BASIC_GET_EMPTY_METHOD) return std::nullopt;
  if (frame.method() != AMQP_BASIC_GET_OK_METHOD) out_of_step();
  Got got;
  got.place = place;
  got.tag = fields_of<amqp_basic_get_ok_t>(frame).delivery_tag;
  if (got.tag != tags_.next()) {
    throw ConnectionLost("RabbitMQ sent a delivery tag that is not the next one");
  }
  read_content(connection, got, deadline);
  tags_.delivered();
  return got;
}

void Claimer::read_content(Connection& connection, Got& got, Deadline deadline) {
  const Frame header = connection.read(deadline);
  if (header.channel != kConsumeChannel || header.type != kHeaderFrame) out_of_step();
  const uint64_t size = body_size_of(header.payload);
  if (size > kMaxBody) throw ConnectionLost("RabbitMQ sent a message without end");
  const std::shared_ptr<Block> block = connection.keep();
  const Decoded decoded = decode_message(header.payload, block->arena);
  if (decoded.message->id.size == 0) { // somebody else's
    const std::string made = "amqp-" + network::hex(tags_.nonce()) + "-" + std::to_string(got.tag);
    decoded.message->id = backend::bytes(block->arena.copy(made.data(), made.size()));
  }
  got.header = block;
  got.message = decoded.message;
  got.returned = decoded.returned;
  got.good = decoded.good;
  if (size == 0) return;
  const std::shared_ptr<char[]> body(new char[size]);
  for (uint64_t here = 0; here < size;) {
    const Frame part = connection.read(deadline);
    const bool fits = part.type == kBodyFrame && part.channel == kConsumeChannel &&
                      !part.payload.empty() && part.payload.size() <= size - here;
    if (!fits) out_of_step();
    std::memcpy(body.get() + here, part.payload.data(), part.payload.size());
    here += part.payload.size();
  }
  got.body = body;
  got.message->body = {body.get(), size};
}

/// Of those from `from` on, what has ended is acked, and what is due goes on its way.
void Claimer::sift(std::vector<Got>& got, std::size_t from, Deadline deadline) {
  const int64_t now_ms = backend::unix_now_ms();
  std::vector<TagSettlement> frames;
  const auto end = std::remove_if(
      got.begin() + static_cast<std::ptrdiff_t>(from), got.end(), [&](const Got& one) {
        const int64_t expires_ms = one.message->expires_at_ms;
        const bool ended = expires_ms != 0 && expires_ms <= now_ms;
        const bool due = one.due_ms() <= now_ms;
        if (ended || due) frames.push_back({one.tag, ended ? Settle::ack : Settle::requeue});
        return ended || due;
      });
  got.erase(end, got.end());
  tell(frames, deadline);
}

/// What goes beyond the bytes that were asked for.
void Claimer::put_back_rest(std::vector<Got>& got, const backend::ClaimArgs& args, std::size_t most,
                            Deadline deadline) {
  std::sort(got.begin(), got.end(),
            [](const Got& a, const Got& b) { return a.due_ms() < b.due_ms(); });
  std::size_t fits = 0;
  uint64_t bytes = 0;
  for (; fits < got.size() && fits < most; ++fits) {
    bytes += got[fits].message->body.size;
    if (args.max_bytes != 0 && fits > 0 && bytes > args.max_bytes) break;
  }
  std::vector<TagSettlement> frames;
  for (std::size_t i = fits; i < got.size(); ++i) frames.push_back({got[i].tag, Settle::requeue});
  got.erase(got.begin() + static_cast<std::ptrdiff_t>(fits), got.end());
  tell(frames, deadline);
}

std::unique_ptr<backend::Batch> Claimer::hand_out(std::vector<Got>& got) {
  auto batch = std::make_unique<RabbitBatch>();
  batch->reserve(got.size());
  for (Got& one : got) {
    swapmq_message& message = *one.message;
    claimed_[one.tag] = {one.place, one.returned, message.due_at_ms};
    message.due_at_ms = one.due_ms();
    uint32_t flags = one.good ? 0 : SWAPMQ_DELIVERY_UNDECODABLE;
    if (!one.good) context_.host.count("undecodable_messages");
    if (one.returned.nacks > 0 || message.delivery_count > 0) flags |= SWAPMQ_DELIVERY_REDELIVERED;
    const uint64_t count = uint64_t{message.delivery_count} + one.returned.nacks + 1;
    batch->keep(std::move(one.header));
    batch->keep(std::move(one.body));
    batch->add(&message, tags_.receipt(one.tag).bytes(),
               static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX)), flags);
  }
  return batch;
}

// ---- settling -----------------------------------------------------------------------------------

void Claimer::settle(std::span<const Given> given, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  for (const Given& one : given) tags_.settling(one.tag);
  std::vector<TagSettlement> acks;
  try {
    lose_what_is_gone(given, deadline);
    acks = copy(given, deadline);
  } catch (...) { // nothing is told of any
    for (const Given& one : given) tags_.still_held(one.tag);
    throw;
  }
  take_in(); // whatever was lost meanwhile
  try {
    if (tags_.epoch() == epoch) tell(acks, deadline);
  } catch (const Failure& failure) { // a deadline that passed, too: what was done is not known
    lost(failure);
  }
  const bool ours = tags_.epoch() == epoch;
  for (const Given& one : given) {
    if (*one.result == SWAPMQ_STATUS_UNTOUCHED) *one.result = ours ? SWAPMQ_OK : SWAPMQ_LOST;
    if (!ours) continue;
    const bool over = *one.result == SWAPMQ_OK || *one.result == SWAPMQ_LOST;
    if (over) claimed_.erase(one.tag);
    over ? tags_.settled(one.tag) : tags_.still_held(one.tag);
  }
  if (!ours) context_.host.count("lost_settlements", given.size());
}

/// The broker does not say that a delay queue was deleted of which something is unacked.
void Claimer::lose_what_is_gone(std::span<const Given> given, Deadline deadline) {
  std::set<std::size_t> concerned;
  for (const Given& one : given) concerned.insert(claimed_.at(one.tag).place);
  for (const std::size_t place : concerned) {
    places_[place].exists = true;
    ready_in(places_[place], deadline);
    if (places_[place].exists) continue;
    for (const Given& one : given) {
      if (claimed_.at(one.tag).place == place) *one.result = SWAPMQ_LOST;
    }
  }
}

/// All but acks are copies first: those that are confirmed, and the acks, are to be acked. Those
/// that are not have their result.
std::vector<TagSettlement> Claimer::copy(std::span<const Given> given, Deadline deadline) {
  std::vector<TagSettlement> acks;
  std::vector<DeadLetter> dead;
  std::vector<swapmq_message> messages;
  dead.reserve(given.size());
  messages.reserve(given.size());
  std::vector<Letter> letters;
  std::vector<const Given*> copied;
  for (const Given& one : given) {
    if (*one.result != SWAPMQ_STATUS_UNTOUCHED) continue;
    const swapmq_settlement& settlement = *one.settlement;
    if (settlement.action == SWAPMQ_SETTLE_ACK) {
      acks.push_back({one.tag, Settle::ack});
      continue;
    }
    copied.push_back(&one);
    if (settlement.action == SWAPMQ_SETTLE_DEAD_LETTER) {
      auto& target =
          static_cast<RabbitQueue&>(*reinterpret_cast<backend::Queue*>(settlement.target));
      dead.emplace_back(settlement);
      letters.push_back({&dead.back().message(), &target.routes()});
      continue;
    }
    const Claimed& claimed = claimed_.at(one.tag);
    swapmq_message& message = messages.emplace_back(*settlement.delivery->message);
    message.due_at_ms = claimed.published_due_ms;
    Returned returned = claimed.returned;
    if (settlement.action == SWAPMQ_SETTLE_NACK) {
      // At once is a time, too: that which it was published with does not hold any more.
      constexpr int64_t kAtOnce = 1;
      returned = {returned.nacks + 1, std::max(settlement.due_at_ms, kAtOnce)};
    }
    letters.push_back({&message, &queue_.routes(), returned, false});
  }
  if (letters.empty()) return acks;
  std::vector<swapmq_publish_result> results(letters.size());
  try {
    publish_letters(context_.control, context_.dialer, letters,
                    {results.data(), results.size(), sizeof results[0]}, deadline);
  } catch (const Failure& why) { // each has its result
    context_.host.log(SWAPMQ_LOG_WARN, why.what());
  }
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const swapmq_status status = status_of(results[i]);
    if (status == SWAPMQ_OK) {
      acks.push_back({copied[i]->tag, Settle::ack});
    } else {
      *copied[i]->result = status;
    }
  }
  return acks;
}

/// Tells the broker what becomes of these, and awaits that it has done so.
void Claimer::tell(std::vector<TagSettlement>& frames, Deadline deadline) {
  if (frames.empty()) return;
  Connection& connection = *link_.live();
  for (const TagSettlement& frame : frames) tags_.settling(frame.tag);
  std::sort(frames.begin(), frames.end(), [](auto& a, auto& b) { return a.tag < b.tag; });
  append_settlements(connection.out(), kConsumeChannel, tags_, frames);
  request<amqp_channel_flow_ok_t>(connection, kConsumeChannel, AMQP_CHANNEL_FLOW_METHOD,
                                  amqp_channel_flow_t{1}, AMQP_CHANNEL_FLOW_OK_METHOD, deadline);
  for (const TagSettlement& frame : frames) tags_.settled(frame.tag);
}

// ---- the connection -----------------------------------------------------------------------------

void Claimer::take_in() {
  if (attached_to_ == 0) return;
  Connection* connection = link_.live();
  if (connection == nullptr || connection->serial() != attached_to_) return lose_all();
  try {
    connection->beat();
    connection->receive();
    Frame frame;
    while (connection->next(frame)) { // nothing is asked for now: it can only be the end
      if (frame.type != kMethodFrame || frame.method() != AMQP_CHANNEL_CLOSE_METHOD) out_of_step();
      throw ConnectionLost(
          ChannelClosed(connection->endpoint(), end_channel(*connection, frame)).what());
    }
  } catch (const ConnectionLost& failure) {
    lost(failure);
  }
}

/// What was claimed is the broker's again.
void Claimer::lose_all() {
  tags_.start_anew();
  claimed_.clear();
  attached_to_ = 0;
}

void Claimer::lost(const Failure& failure) {
  context_.host.log(SWAPMQ_LOG_WARN, std::string(failure.what()) +
                                         "; what was claimed before its time waits for it again");
  link_.broke();
  lose_all();
}

void Claimer::leave(Deadline deadline) {
  take_in();
  if (attached_to_ != 0 && !claimed_.empty()) {
    std::vector<TagSettlement> frames;
    for (const auto& [tag, claimed] : claimed_) frames.push_back({tag, Settle::requeue});
    try {
      tell(frames, deadline);
    } catch (const Failure& failure) { // the end of the connection does the same
      context_.host.log(SWAPMQ_LOG_INFO, failure.what());
    }
  }
  if (attached_to_ != 0) link_.live()->close(network::in(milliseconds(0)));
  link_.drop();
  lose_all();
}

} // namespace swapmq::rabbitmq

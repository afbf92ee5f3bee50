// SPDX-License-Identifier: MIT
#include "fake_broker.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "../support/client_loop.hpp"

namespace swapmq::live {

namespace {

constexpr std::string_view kHello("AMQP\0\0\x09\x01", 8);
constexpr std::size_t kFrameHead = 7; // type, channel, size; behind the payload is one byte more

struct Client : FakeClient {
  bool greeted = false;
  std::map<std::pair<int, amqp::Method>, std::uint64_t> numbers;
  AmqpRequest publishing; // of which not all is here
  std::uint64_t body_left = 0;
};

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + size && i < bytes.size(); ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

/// A frame as a client sent it.
struct Frame {
  int type, channel;
  std::string_view payload;
};

} // namespace

AmqpReply polite_reply(const AmqpRequest& request) {
  using namespace amqp;
  const int channel = request.channel;
  switch (request.method) {
    case kProtocolHeader:
      return start();
    case kStartOk:
      return tune();
    case kOpen:
      return method(0, kOpenOk, short_text(""));
    case kClose:
      return {method(0, kCloseOk), true};
    case kChannelOpen:
      return method(channel, kChannelOpenOk, long_text(""));
    case kChannelClose:
      return method(channel, kChannelCloseOk);
    case kFlow:
      return method(channel, kFlowOk, u8(1));
    case kConfirmSelect:
      return method(channel, kConfirmSelectOk);
    case kQueueDeclare:
      return method(channel, kQueueDeclareOk, short_text("tasks") + u32(0) + u32(0));
    case kQueuePurge:
      return method(channel, kQueuePurgeOk, u32(0));
    case kQueueDelete:
      return method(channel, kQueueDeleteOk, u32(0));
    case kPublish:
      return ack(channel, request.number);
    case kQos:
      return method(channel, kQosOk);
    case kConsume: {
      const std::string ok = method(channel, kConsumeOk, short_text("consumer"));
      return request.number == 1 ? ok + delivery(channel, 1) : ok;
    }
    case kCancel:
      return method(channel, kCancelOk, short_text("consumer"));
    default: // has no answer
      return {};
  }
}

class FakeBroker::Loop {
 public:
  explicit Loop(AmqpScript script)
      : script_(std::move(script)), loop_([this](Client& client) { take_all(client); }) {}

  struct Seen {
    std::vector<AmqpRequest> requests;
    std::size_t heartbeats = 0;
    std::uint64_t not_understood = 0;
  };

  [[nodiscard]] int port() const { return loop_.port(); }
  [[nodiscard]] std::uint64_t accepted() {
    return loop_.look([&] { return loop_.accepted(); });
  }
  void say(const std::string& bytes) {
    loop_.change([&](auto& clients) {
      for (Client& client : clients) client.to_send += bytes;
    });
  }
  void end_streams() {
    loop_.change([](auto& clients) {
      for (Client& client : clients) {
        if (!client.endless && !client.slowly) continue;
        client.endless = {};
        client.to_send.clear();
        client.close_when_sent = true;
      }
    });
  }
  Seen seen() {
    return loop_.look([&] { return seen_; });
  }
  template <class Condition>
  bool await(milliseconds timeout, const Condition& condition) {
    return loop_.await(timeout, [&] { return condition(seen_); });
  }

 private:
  void take_all(Client& client);
  void take(Client& client, const Frame& frame);
  void take_method(Client& client, const Frame& frame);
  void reply(Client& client, const AmqpRequest& request);
  void not_understood(Client& client);

  const AmqpScript script_;
  Seen seen_;               // with the loop's lock held
  ClientLoop<Client> loop_; // the last: its thread uses all the others
};

void FakeBroker::Loop::take_all(Client& client) {
  if (!client.greeted) {
    if (client.received.size() < kHello.size()) return;
    if (!client.received.starts_with(kHello)) return not_understood(client);
    client.greeted = true;
    client.received.erase(0, kHello.size());
    reply(client, {});
  }
  std::string_view rest = client.received;
  while (!client.close_when_sent && rest.size() > kFrameHead) {
    const std::uint64_t size = number_at(rest, 3, 4);
    if (rest.size() < kFrameHead + size + 1) break;
    if (rest[kFrameHead + size] != amqp::kFrameEnd) return not_understood(client);
    take(client, {static_cast<int>(number_at(rest, 0, 1)), static_cast<int>(number_at(rest, 1, 2)),
                  rest.substr(kFrameHead, size)});
    rest.remove_prefix(kFrameHead + size + 1);
  }
  client.received.erase(0, client.received.size() - rest.size());
}

void FakeBroker::Loop::take(Client& client, const Frame& frame) {
  if (frame.type == amqp::kHeartbeatFrame) {
    ++seen_.heartbeats;
  } else if (frame.type == amqp::kMethodFrame) {
    take_method(client, frame);
  } else {
    AmqpRequest& publishing = client.publishing;
    if (frame.type == amqp::kHeaderFrame) {
      client.body_left = number_at(frame.payload, 4, 8);
    } else {
      publishing.body += frame.payload;
      ++publishing.body_frames;
      client.body_left -= frame.payload.size();
    }
    if (client.body_left == 0) reply(client, std::exchange(publishing, {}));
  }
}

void FakeBroker::Loop::take_method(Client& client, const Frame& frame) {
  AmqpRequest request;
  request.method = static_cast<amqp::Method>(number_at(frame.payload, 0, 4));
  request.channel = frame.channel;
  request.fields = frame.payload.substr(std::min<std::size_t>(4, frame.payload.size()));
  if (request.method == amqp::kChannelOpen) {
    std::erase_if(client.numbers,
                  [&](const auto& one) { return one.first.first == frame.channel; });
  }
  request.number = ++client.numbers[{frame.channel, request.method}];
  if (request.method == amqp::kPublish) { // its content follows
    client.publishing = std::move(request);
    return;
  }
  reply(client, request);
}

void FakeBroker::Loop::reply(Client& client, const AmqpRequest& request) {
  seen_.requests.push_back(request);
  std::optional<AmqpReply> said;
  if (script_) said = loop_.aside([&] { return script_(request); });
  if (!said) said = polite_reply(request);
  client.to_send += said->bytes;
  if (said->endless) client.endless = said->endless;
  client.slowly = client.slowly || said->slowly;
  client.close_when_sent = client.close_when_sent || said->close;
}

void FakeBroker::Loop::not_understood(Client& client) {
  ++seen_.not_understood;
  client.gone = true;
}

FakeBroker::FakeBroker(AmqpScript script) : loop_(std::make_unique<Loop>(std::move(script))) {}
FakeBroker::~FakeBroker() = default;

int FakeBroker::port() const { return loop_->port(); }
void FakeBroker::say(const std::string& bytes) { loop_->say(bytes); }
void FakeBroker::end_streams() { loop_->end_streams(); }
std::vector<AmqpRequest> FakeBroker::requests() const { return loop_->seen().requests; }
bool FakeBroker::await_request(amqp::Method method, std::size_t count, milliseconds timeout) const {
  return loop_->await(timeout, [&](const Loop::Seen& seen) {
    return static_cast<std::size_t>(std::count_if(
               seen.requests.begin(), seen.requests.end(),
               [&](const AmqpRequest& request) { return request.method == method; })) >= count;
  });
}
bool FakeBroker::await_heartbeats(std::size_t count, milliseconds timeout) const {
  return loop_->await(timeout, [&](const Loop::Seen& seen) { return seen.heartbeats >= count; });
}
std::uint64_t FakeBroker::accepted() const { return loop_->accepted(); }
std::uint64_t FakeBroker::not_understood() const { return loop_->seen().not_understood; }

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <optional>

#include "../broker/ids.h"
#include "entry_writer.h"
#include "raw.h"
#include "wire.h"

namespace bench {
namespace {

/// "$15\r\n1700000000000-0\r\n": no reply to an XADD is shorter.
constexpr std::size_t shortest_reply = 22;

class RawPublisher : public Contender {
 public:
  explicit RawPublisher(std::uint16_t port) : connection_(port), replies_(connection_) {}

  void prepare(const Task& task) override {
    writer_.emplace(task.queue, task.body);
    send(task.ids.first(1));
    replies_.skip(1);
  }

 protected:
  /// Makes the ids and sends an entry for each.
  void send(std::span<Id> ids) {
    const std::int64_t now = unix_ms();
    writer_->set_time(now);
    buffer_.resize(std::max(buffer_.size(), ids.size() * writer_->size()));
    char* end = buffer_.data();
    for (Id& id : ids) {
      generator_.make(id, now);
      end = writer_->write(end, id);
    }
    connection_.send({buffer_.data(), static_cast<std::size_t>(end - buffer_.data())});
  }

  Connection connection_;
  Replies replies_;

 private:
  IdGenerator generator_;
  std::optional<EntryWriter> writer_;
  std::vector<char> buffer_;
};

/// A batch in chunks: the server works on the first while the next is encoded.
class BatchPublisher final : public RawPublisher {
 public:
  enum class Wake { at_each_reply, at_the_last };

  BatchPublisher(std::uint16_t port, std::size_t batch, std::size_t chunk, Wake wake)
      : RawPublisher(port), batch_(batch), chunk_(chunk), wake_(wake) {}

  void run(const Task& task) override {
    for (auto left = task.ids.subspan(1); !left.empty();) {
      const auto batch = left.first(std::min(batch_, left.size()));
      for (auto rest = batch; !rest.empty();) {
        const auto chunk = rest.first(std::min(chunk_, rest.size()));
        send(chunk);
        rest = rest.subspan(chunk.size());
      }
      receive(batch.size());
      left = left.subspan(batch.size());
    }
  }

 private:
  void receive(std::size_t count) {
    if (wake_ == Wake::at_the_last) connection_.await(count * shortest_reply);
    replies_.skip(count);
  }

  const std::size_t batch_, chunk_;
  const Wake wake_;
};

class WindowPublisher final : public RawPublisher {
 public:
  WindowPublisher(std::uint16_t port, std::size_t window) : RawPublisher(port), window_(window) {}

  void run(const Task& task) override {
    std::size_t in_flight = 0; // all but the window sent last
    for (auto left = task.ids.subspan(1); !left.empty();) {
      const auto window = left.first(std::min(window_, left.size()));
      send(window);
      replies_.skip(in_flight);
      in_flight = window.size();
      left = left.subspan(window.size());
    }
    replies_.skip(in_flight);
  }

 private:
  const std::size_t window_;
};

class SinglePublisher final : public RawPublisher {
 public:
  using RawPublisher::RawPublisher;

  void run(const Task& task) override {
    using Clock = std::chrono::steady_clock;
    for (std::size_t i = 1; i < task.ids.size(); ++i) {
      const auto start = Clock::now();
      send(task.ids.subspan(i, 1));
      replies_.skip(1);
      const std::chrono::nanoseconds took = Clock::now() - start;
      task.nanoseconds[i - 1] = static_cast<std::uint32_t>(took.count());
    }
  }
};

} // namespace

std::vector<RawVariant> raw_publishing(std::uint16_t port, std::size_t batch) {
  std::vector<RawVariant> variants;
  for (const std::size_t chunk : {batch, batch / 2, batch / 4, batch / 8}) {
    if (chunk < batch && chunk < 32) continue;
    for (const auto wake :
         {BatchPublisher::Wake::at_each_reply, BatchPublisher::Wake::at_the_last}) {
      variants.push_back(
          {"chunks of " + std::to_string(chunk) +
               (wake == BatchPublisher::Wake::at_the_last ? ", SO_RCVLOWAT" : ""),
           [=] { return std::make_unique<BatchPublisher>(port, batch, chunk, wake); }});
    }
  }
  return variants;
}

std::vector<RawVariant> raw_windows(std::uint16_t port) {
  std::vector<RawVariant> variants;
  for (const std::size_t window : {128, 256, 512}) {
    variants.push_back({"two windows of " + std::to_string(window),
                        [=] { return std::make_unique<WindowPublisher>(port, window); }});
  }
  return variants;
}

std::vector<RawVariant> raw_single(std::uint16_t port) {
  return {{"send, recv", [=] { return std::make_unique<SinglePublisher>(port); }}};
}

} // namespace bench

// SPDX-License-Identifier: MIT
#include "contenders.h"

#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace bench {

using namespace std::chrono_literals;

const std::string& body() {
  static const std::string text(64, 'x');
  return text;
}

void on_threads(std::size_t count, std::size_t threads,
                const std::function<void(std::size_t)>& publish_some) {
  if (threads == 1) return publish_some(count);
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&] { publish_some(count / threads); });
  }
  for (auto& thread : running) thread.join();
}

namespace {

class RawDeque final : public Contender {
 public:
  void publish(std::size_t count, std::size_t batch, std::size_t threads) override {
    on_threads(count, threads, [&](std::size_t share) {
      for (std::size_t done = 0; done < share; done += batch) {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = done; i < std::min(done + batch, share); ++i) {
          messages_.push_back(body());
        }
      }
    });
  }
  void consume(std::size_t count, std::size_t batch, Consuming /*how*/) override {
    for (std::size_t done = 0; done < count;) {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < batch && done < count; ++i, ++done) {
        if (messages_.empty()) throw std::runtime_error("the deque is empty too soon");
        messages_.pop_front();
      }
    }
  }

 private:
  std::mutex mutex_;
  std::deque<std::string> messages_;
};

class Library final : public Contender {
 public:
  Library(const std::string& backend, const std::string& folder)
      : mq_(swapmq::MessageQueue::try_open_text(
                R"({"message_queue":{"type":")" + backend + R"(","sqlite":{"path":")" + folder +
                    R"(/library.db"},"memory":{"max_messages":10000000}}})",
                "benchmark")
                .value()) {}

  void publish(std::size_t count, std::size_t batch, std::size_t threads) override {
    on_threads(count, threads, [&](std::size_t share) {
      const std::vector<swapmq::Message> messages(batch, swapmq::Message{.body = body()});
      for (std::size_t done = 0; done < share; done += batch) {
        const std::size_t now = std::min(batch, share - done);
        if (now == 1) {
          check(mq_.publish("bench", messages[0]));
        } else {
          for (const auto& sent : mq_.publish_many("bench", {messages.data(), now})) check(sent);
        }
      }
    });
  }

  void consume(std::size_t count, std::size_t batch, Consuming how) override {
    how == Consuming::pull ? pull(count, batch) : handle(count, batch);
  }

 private:
  void pull(std::size_t count, std::size_t batch) {
    auto subscription =
        mq_.subscribe("bench", {.prefetch = static_cast<std::uint32_t>(batch)}).value();
    for (std::size_t done = 0; done < count;) {
      auto got = subscription.receive(std::min(batch, count - done), 10s).value();
      if (got.empty()) throw std::runtime_error("no message for ten seconds");
      for (const auto& delivery : got) delivery.ack();
      done += got.size();
    }
    if (const auto error = subscription.close(10s)) throw std::runtime_error(error.message());
  }

  void handle(std::size_t count, std::size_t batch) {
    std::size_t done = 0; // the handler's: it runs on one thread
    std::promise<void> all;
    auto consumer = mq_.consume("bench", {.prefetch = static_cast<std::uint32_t>(batch)},
                                [&](const swapmq::Delivery&) {
                                  if (++done == count) all.set_value();
                                  return swapmq::ack();
                                })
                        .value();
    const bool came = all.get_future().wait_for(60s) == std::future_status::ready;
    if (const auto error = consumer.close(10s)) throw std::runtime_error(error.message());
    if (!came) throw std::runtime_error("not all messages came within a minute");
  }

  static void check(const swapmq::Sent& sent) {
    if (!sent) throw std::runtime_error("not confirmed: " + sent.error().message());
  }
  swapmq::MessageQueue mq_;
};

} // namespace

std::unique_ptr<Contender> raw_deque() { return std::make_unique<RawDeque>(); }

std::unique_ptr<Contender> library(const std::string& backend, const std::string& folder) {
  return std::make_unique<Library>(backend, folder);
}

} // namespace bench

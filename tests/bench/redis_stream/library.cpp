// SPDX-License-Identifier: MIT
#include "library.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <stdexcept>
#include <vector>

#include "crew.h"

namespace bench {

using namespace std::chrono_literals;
using swapmq::Message;
using swapmq::MessageQueue;

namespace {

void check_and_keep(Id& id, const swapmq::Sent& sent) {
  if (!sent) throw std::runtime_error("not confirmed: " + sent.error().message());
  keep(id, sent.id());
}

class LibraryPublisher : public Contender {
 public:
  explicit LibraryPublisher(MessageQueue& mq) : mq_(mq) {}

  void prepare(const Task& task) override {
    check_and_keep(task.ids.front(), mq_.publish(task.queue, task.body));
  }

 protected:
  MessageQueue& mq_;
};

class Batches final : public LibraryPublisher {
 public:
  Batches(MessageQueue& mq, std::size_t batch) : LibraryPublisher(mq), batch_(batch) {}

  void prepare(const Task& task) override {
    LibraryPublisher::prepare(task);
    messages_.assign(batch_, Message{.body = task.body});
  }
  void run(const Task& task) override {
    for (std::size_t done = 1; done < task.ids.size();) {
      const std::size_t count = std::min(batch_, task.ids.size() - done);
      for (const auto& sent : mq_.publish_many(task.queue, {messages_.data(), count})) {
        check_and_keep(task.ids[done++], sent);
      }
    }
  }

 private:
  const std::size_t batch_;
  std::vector<Message> messages_;
};

class Async final : public LibraryPublisher {
 public:
  using LibraryPublisher::LibraryPublisher;

  void prepare(const Task& task) override {
    LibraryPublisher::prepare(task);
    task_ = task;
    done_ = 1;
    failed_ = false;
    all_ = std::promise<void>();
  }
  void run(const Task& task) override {
    for (std::size_t i = 1; i < task.ids.size(); ++i) {
      mq_.publish_async(task.queue, {.body = task.body},
                        [this](const swapmq::Sent& sent) { completed(sent); });
    }
    all_.get_future().wait(); // each publish has a deadline of its own
    if (failed_) throw std::runtime_error("not every asynchronous publish was confirmed");
  }

 private:
  void completed(const swapmq::Sent& sent) {
    if (sent) {
      keep(task_.ids[done_], sent.id());
    } else {
      failed_ = true;
    }
    if (++done_ == task_.ids.size()) all_.set_value();
  }

  // Those of the completions, which come on one thread.
  Task task_;
  std::size_t done_ = 0;
  bool failed_ = false;
  std::promise<void> all_;
};

class Threads final : public LibraryPublisher {
 public:
  Threads(MessageQueue& mq, std::size_t threads) : LibraryPublisher(mq), threads_(threads) {}

  void prepare(const Task& task) override {
    LibraryPublisher::prepare(task);
    crew_.emplace(threads_, [this, task](std::size_t number) {
      for (std::size_t i = 1 + number; i < task.ids.size(); i += threads_) {
        check_and_keep(task.ids[i], mq_.publish(task.queue, task.body));
      }
    });
  }
  void run(const Task& /*task*/) override { crew_->go(); }

 private:
  const std::size_t threads_;
  std::optional<Crew> crew_;
};

class Single final : public LibraryPublisher {
 public:
  using LibraryPublisher::LibraryPublisher;

  void run(const Task& task) override {
    using Clock = std::chrono::steady_clock;
    for (std::size_t i = 1; i < task.ids.size(); ++i) {
      const auto start = Clock::now();
      const swapmq::Sent sent = mq_.publish(task.queue, task.body);
      const std::chrono::nanoseconds took = Clock::now() - start;
      task.nanoseconds[i - 1] = static_cast<std::uint32_t>(took.count());
      check_and_keep(task.ids[i], sent);
    }
  }
};

class HandlerConsumer final : public Contender {
 public:
  HandlerConsumer(MessageQueue& mq, std::size_t batch) : mq_(mq), batch_(batch) {}

  void prepare(const Task& task) override {
    task_ = task;
    done_ = 0;
    all_ = std::promise<void>();
  }
  void run(const Task& task) override {
    // An exchange is made when half of the prefetch is settled.
    auto consumer = mq_.consume(task.queue, {.prefetch = static_cast<std::uint32_t>(2 * batch_)},
                                [this](const swapmq::Delivery& delivery) {
                                  handle(delivery);
                                  return swapmq::ack();
                                })
                        .value();
    const bool came = all_.get_future().wait_for(60s) == std::future_status::ready;
    if (const auto error = consumer.close(10s)) throw std::runtime_error(error.message());
    if (!came) throw std::runtime_error("not all messages came within a minute");
    if (done_ != task.ids.size()) throw std::runtime_error("a message came twice");
  }

 private:
  void handle(const swapmq::Delivery& delivery) {
    if (done_ < task_.ids.size() && delivery.body().size() == task_.body.size()) {
      keep(task_.ids[done_], delivery.id()); // else it stays empty
    }
    if (++done_ == task_.ids.size()) all_.set_value();
  }

  MessageQueue& mq_;
  const std::size_t batch_;
  // Those of the handler, which runs on one thread.
  Task task_;
  std::size_t done_ = 0;
  std::promise<void> all_;
};

} // namespace

MessageQueue open_library(std::uint16_t port) {
  return MessageQueue::try_open_text(
             R"({"message_queue":{"type":"redis_stream","redis_stream":{"url":)"
             R"("redis://127.0.0.1:)" +
                 std::to_string(port) + R"("}}})",
             "benchmark")
      .value();
}

std::unique_ptr<Contender> library_batches(MessageQueue& mq, std::size_t batch) {
  return std::make_unique<Batches>(mq, batch);
}
std::unique_ptr<Contender> library_async(MessageQueue& mq) { return std::make_unique<Async>(mq); }
std::unique_ptr<Contender> library_threads(MessageQueue& mq, std::size_t threads) {
  return std::make_unique<Threads>(mq, threads);
}
std::unique_ptr<Contender> library_single(MessageQueue& mq) { return std::make_unique<Single>(mq); }
std::unique_ptr<Contender> library_handler(MessageQueue& mq, std::size_t batch) {
  return std::make_unique<HandlerConsumer>(mq, batch);
}

} // namespace bench

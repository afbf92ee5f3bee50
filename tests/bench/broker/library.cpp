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
    messages_.assign(std::min(batch_, task.ids.size()), Message{.body = task.body});
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

/// A handler that acks until so many messages came.
class Handler {
 public:
  void prepare(std::span<Id> ids, std::string_view body) {
    ids_ = ids;
    body_size_ = body.size();
    done_ = 0;
    all_ = std::promise<void>();
  }
  [[nodiscard]] swapmq::Consumer start(MessageQueue& mq, std::string_view queue,
                                       std::uint32_t prefetch) {
    return mq
        .consume(queue, {.prefetch = prefetch},
                 [this](const swapmq::Delivery& delivery) {
                   handle(delivery);
                   return swapmq::ack();
                 })
        .value();
  }
  void finish(swapmq::Consumer& consumer) {
    const bool came = all_.get_future().wait_for(60s) == std::future_status::ready;
    if (const auto error = consumer.close(10s)) throw std::runtime_error(error.message());
    if (!came) throw std::runtime_error("not all messages came within a minute");
    if (done_ != ids_.size()) throw std::runtime_error("a message came twice");
  }

 private:
  void handle(const swapmq::Delivery& delivery) {
    if (done_ < ids_.size() && delivery.body().size() == body_size_) {
      keep(ids_[done_], delivery.id()); // else it stays empty
    }
    if (++done_ == ids_.size()) all_.set_value();
  }

  // Those of the handler, which runs on one thread.
  std::span<Id> ids_;
  std::size_t body_size_ = 0;
  std::size_t done_ = 0;
  std::promise<void> all_;
};

class HandlerConsumer final : public Contender {
 public:
  HandlerConsumer(MessageQueue& mq, std::uint32_t prefetch) : mq_(mq), prefetch_(prefetch) {}

  void prepare(const Task& task) override { handler_.prepare(task.ids, task.body); }
  void run(const Task& task) override {
    auto consumer = handler_.start(mq_, task.queue, prefetch_);
    handler_.finish(consumer);
  }

 private:
  MessageQueue& mq_;
  const std::uint32_t prefetch_;
  Handler handler_;
};

class Both final : public Contender {
 public:
  Both(MessageQueue& mq, std::size_t batch, std::uint32_t prefetch)
      : mq_(mq), prefetch_(prefetch), batches_(mq, batch) {}

  void prepare(const Task& task) override {
    batches_.prepare(task);
    handler_.prepare(task.consumed, task.body);
  }
  void run(const Task& task) override {
    auto consumer = handler_.start(mq_, task.queue, prefetch_);
    batches_.run(task);
    handler_.finish(consumer);
  }

 private:
  MessageQueue& mq_;
  const std::uint32_t prefetch_;
  Batches batches_;
  Handler handler_;
};

} // namespace

MessageQueue open_library(std::string_view plugin, std::string_view options) {
  const std::string name = "\"" + std::string(plugin) + "\"";
  return MessageQueue::try_open_text(
             R"({"message_queue":{"type":)" + name + "," + name + ":" + std::string(options) + "}}",
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
std::unique_ptr<Contender> library_handler(MessageQueue& mq, std::uint32_t prefetch) {
  return std::make_unique<HandlerConsumer>(mq, prefetch);
}
std::unique_ptr<Contender> library_both(MessageQueue& mq, std::size_t batch,
                                        std::uint32_t prefetch) {
  return std::make_unique<Both>(mq, batch, prefetch);
}

} // namespace bench

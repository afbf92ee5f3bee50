// SPDX-License-Identifier: MIT
#include "queue/async_publisher.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "quiet_thread.h"

namespace swapmq::queue {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t max_under_way = 65'536;

/// Copies of messages: one buffer and views into it.
class OwnedMessages {
 public:
  explicit OwnedMessages(std::span<const Message> from) {
    std::size_t bytes = 0, headers = 0;
    for (const Message& message : from) {
      each_view(message, [&](std::string_view view) { bytes += view.size(); });
      for (const Header& header : message.headers) {
        bytes += header.name.size() + header.value.size();
      }
      headers += message.headers.size();
    }
    buffer_.reserve(bytes); // the views into them stay valid
    headers_.reserve(headers);
    if (from.size() > 1) many_.resize(from.size());
    messages_ = from.size() > 1 ? std::span(many_) : std::span(&one_, 1);
    for (std::size_t i = 0; i < from.size(); ++i) keep(from[i], messages_[i]);
  }
  OwnedMessages(const OwnedMessages&) = delete;
  OwnedMessages& operator=(const OwnedMessages&) = delete;

 protected:
  std::span<Message> messages_; ///< one or more

 private:
  template <class AnyMessage, class Visit>
  static void each_view(AnyMessage& message, Visit visit) {
    for (auto* view : {&message.body, &message.id, &message.ordering_key, &message.correlation_id,
                       &message.reply_to, &message.content_type}) {
      visit(*view);
    }
  }
  void keep(const Message& from, Message& to) {
    to = from;
    each_view(to, [&](std::string_view& view) { view = keep(view); });
    const std::size_t first = headers_.size();
    for (const Header& header : from.headers) {
      const std::string_view name = keep(header.name);
      headers_.push_back({name, keep(header.value)});
    }
    to.headers = std::span(headers_).subspan(first);
  }
  std::string_view keep(std::string_view view) {
    const std::size_t at = buffer_.size();
    buffer_.append(view);
    return std::string_view(buffer_).substr(at);
  }

  std::string buffer_;
  std::vector<Header> headers_;
  Message one_; ///< no heap for a lone one
  std::vector<Message> many_;
};

class AsyncRequest final : private OwnedMessages, public PublishRequest {
 public:
  AsyncRequest(std::span<const Message> from, AsyncPublisher::Done done,
               std::chrono::milliseconds timeout)
      : OwnedMessages(from), PublishRequest(messages_, timeout), done_(std::move(done)) {}

  [[nodiscard]] bool asynchronous() const override { return true; }
  void complete() {
    if (!done_) return;
    if (messages.size() == 1) {
      Sent one = sent(0);
      return done_({&one, 1});
    }
    std::vector<Sent> all;
    all.reserve(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) all.push_back(sent(i));
    done_(all);
  }

 private:
  AsyncPublisher::Done done_;
};

void refuse_all(PublishRequest& request, Errc code, const std::string& why) {
  for (std::size_t i = 0; i < request.messages.size(); ++i) request.refuse(i, code, why);
}

} // namespace

AsyncPublisher::~AsyncPublisher() { stop(); }

void AsyncPublisher::submit(Publisher& publisher, std::span<const Message> messages, Done done,
                            std::chrono::milliseconds timeout) {
  auto request = std::make_unique<AsyncRequest>(messages, std::move(done), timeout);
  switch (reserve(messages.size(), request->deadline)) {
    case Room::reserved:
      return publisher.publish_async(std::move(request));
    case Room::none: {
      refuse_all(*request, Errc::timeout,
                 "too many messages were under way until the deadline; it was not sent");
      PublishRequest* const refused = request.release();
      return finished({&refused, 1});
    }
    case Room::stopped:
      refuse_all(*request, Errc::closed, "the message queue is closed");
      return request->complete();
  }
}

/// Counts so many more under way, with or without room.
AsyncPublisher::Room AsyncPublisher::reserve(std::size_t messages, Deadline deadline) {
  const Lock lock(mutex_);
  if (stopping_) return Room::stopped;
  bool room = true;
  while (under_way_ >= max_under_way && room && !stopping_) {
    room = room_.wait_until(mutex_, deadline) || steady_clock::now() < deadline;
  }
  if (stopping_) return Room::stopped;
  under_way_ += messages;
  if (threads_.empty()) start();
  return room ? Room::reserved : Room::none;
}

void AsyncPublisher::start() {
  threads_.emplace_back([this] { complete(); });
  for (std::size_t i = 0; i < leaders_; ++i) {
    threads_.push_back(quiet_thread([this] { lead_groups(); }));
  }
}

void AsyncPublisher::lead(Publisher& publisher, std::shared_ptr<PublishGroup> group,
                          Deadline when) {
  const Lock lock(mutex_);
  // By now at the earliest: those that waited for their time are not put off again and again.
  jobs_.emplace(std::max(when, steady_clock::now()), Job{&publisher, std::move(group)});
  jobs_changed_.notify_one();
}

void AsyncPublisher::hurry() {
  const Lock lock(mutex_);
  const Deadline now = steady_clock::now();
  std::multimap<Deadline, Job> hurried;
  for (auto& [when, job] : jobs_) hurried.emplace(std::min(when, now), std::move(job));
  jobs_.swap(hurried);
  jobs_changed_.notify_all();
}

void AsyncPublisher::finished(std::span<PublishRequest* const> requests) {
  const Lock lock(mutex_);
  for (PublishRequest* request : requests) finished_.emplace_back(request);
  finished_changed_.notify_one();
}

std::optional<AsyncPublisher::Job> AsyncPublisher::next_job() {
  const Lock lock(mutex_);
  while (!stopping_ || under_way_ > 0) {
    const Deadline now = steady_clock::now();
    if (!jobs_.empty() && (stopping_ || jobs_.begin()->first <= now)) {
      Job job = std::move(jobs_.begin()->second);
      jobs_.erase(jobs_.begin());
      if (!jobs_.empty()) jobs_changed_.notify_one(); // its time may come while this one works
      return job;
    }
    const Deadline nothing = now + std::chrono::hours(1);
    jobs_changed_.wait_until(mutex_,
                             jobs_.empty() ? nothing : std::min(nothing, jobs_.begin()->first));
  }
  return std::nullopt;
}

void AsyncPublisher::lead_groups() {
  while (auto job = next_job()) job->publisher->lead_group(job->group);
}

void AsyncPublisher::complete() {
  while (true) {
    std::deque<std::unique_ptr<PublishRequest>> finished;
    {
      const Lock lock(mutex_);
      while (finished_.empty() && (!stopping_ || under_way_ > 0)) {
        finished_changed_.wait_until(mutex_, steady_clock::now() + std::chrono::hours(1));
      }
      if (finished_.empty()) return;
      finished.swap(finished_);
    }
    std::size_t messages = 0;
    for (auto& request : finished) {
      static_cast<AsyncRequest&>(*request).complete();
      messages += request->messages.size();
    }
    const Lock lock(mutex_);
    under_way_ -= messages;
    room_.notify_all();
    if (under_way_ == 0) jobs_changed_.notify_all(); // the leaders may end, if it is the end
  }
}

void AsyncPublisher::stop() {
  std::vector<std::thread> threads;
  {
    const Lock lock(mutex_);
    stopping_ = true;
    jobs_changed_.notify_all();
    finished_changed_.notify_all();
    room_.notify_all();
    threads = std::move(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

} // namespace swapmq::queue

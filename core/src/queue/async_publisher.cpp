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

/// A copy of a message: one buffer and views into it.
class OwnedMessage {
 public:
  explicit OwnedMessage(const Message& from) : message_(from) {
    std::size_t size = 0;
    each_view([&](std::string_view view) { size += view.size(); });
    for (const Header& header : from.headers) size += header.name.size() + header.value.size();
    buffer_.reserve(size); // the views into it stay valid
    each_view([&](std::string_view& view) { view = keep(view); });
    headers_.reserve(from.headers.size());
    for (const Header& header : from.headers) {
      const std::string_view name = keep(header.name);
      headers_.push_back({name, keep(header.value)});
    }
    message_.headers = headers_;
  }
  OwnedMessage(const OwnedMessage&) = delete;
  OwnedMessage& operator=(const OwnedMessage&) = delete;

 protected:
  Message message_;

 private:
  template <class Visit>
  void each_view(Visit visit) {
    for (std::string_view* view :
         {&message_.body, &message_.id, &message_.ordering_key, &message_.correlation_id,
          &message_.reply_to, &message_.content_type}) {
      visit(*view);
    }
  }
  std::string_view keep(std::string_view view) {
    const std::size_t at = buffer_.size();
    buffer_.append(view);
    return std::string_view(buffer_).substr(at);
  }

  std::string buffer_;
  std::vector<Header> headers_;
};

class AsyncRequest final : private OwnedMessage, public PublishRequest {
 public:
  AsyncRequest(const Message& message, AsyncPublisher::Done done, std::chrono::milliseconds timeout)
      : OwnedMessage(message), PublishRequest({&message_, 1}, timeout), done_(std::move(done)) {}

  [[nodiscard]] bool asynchronous() const override { return true; }
  void complete() {
    if (done_) done_(sent(0));
  }

 private:
  AsyncPublisher::Done done_;
};

} // namespace

AsyncPublisher::~AsyncPublisher() { stop(); }

void AsyncPublisher::submit(Publisher& publisher, const Message& message, Done done,
                            std::chrono::milliseconds timeout) {
  auto request = std::make_unique<AsyncRequest>(message, std::move(done), timeout);
  switch (reserve(request->deadline)) {
    case Room::reserved:
      return publisher.publish_async(std::move(request));
    case Room::none: {
      request->refuse(0, Errc::timeout,
                      "too many messages were under way until the deadline; it was not sent");
      PublishRequest* const refused = request.release();
      return finished({&refused, 1});
    }
    case Room::stopped:
      request->refuse(0, Errc::closed, "the message queue is closed");
      return request->complete();
  }
}

/// Counts one more under way, with or without room.
AsyncPublisher::Room AsyncPublisher::reserve(Deadline deadline) {
  const Lock lock(mutex_);
  if (stopping_) return Room::stopped;
  bool room = true;
  while (under_way_ >= max_under_way && room && !stopping_) {
    room = room_.wait_until(mutex_, deadline) || steady_clock::now() < deadline;
  }
  if (stopping_) return Room::stopped;
  ++under_way_;
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
    for (auto& request : finished) static_cast<AsyncRequest&>(*request).complete();
    const Lock lock(mutex_);
    under_way_ -= finished.size();
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

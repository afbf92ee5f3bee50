// SPDX-License-Identifier: MIT
#include "traffic.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "open_queue.hpp"

namespace swapmq::live {

namespace {

constexpr const char* kQueue = "tasks";
constexpr std::size_t kMostErrors = 100;
constexpr auto kQuiet = milliseconds(10'000); // nothing comes for so long: no more will

constexpr std::uint64_t kNone = UINT64_MAX;

std::uint64_t number_of(std::string_view id) {
  std::uint64_t number = kNone;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return number;
}

} // namespace

Traffic::Traffic(const std::string& publishing, const std::string& consuming, const Shape& shape)
    : shape_(shape), publishing_(open_queue(publishing)), consuming_(open_queue(consuming)) {
  auto consumer = consuming_.consume(kQueue, {.prefetch = 64},
                                     [this](const Delivery& d) { return note_consumed(d); });
  consumer_.emplace(std::move(consumer.value()));
  for (int i = 0; i < shape_.publishers; ++i) publishers_.emplace_back([this] { publish_on(); });
}

Traffic::~Traffic() {
  stop_publishers();
  consumer_.reset(); // its handler uses the others
}

void Traffic::publish_on() {
  while (may_publish()) publish_batch();
}

bool Traffic::may_publish() {
  std::unique_lock lock(mutex_);
  while (!stop_ && waiting_ >= shape_.most_waiting + written_off_) changed_.wait_for(lock, kQuiet);
  return !stop_;
}

void Traffic::publish_batch() {
  const auto count = static_cast<std::uint64_t>(shape_.batch);
  const std::uint64_t first = next_.fetch_add(count);
  const std::string body(shape_.body, 'x');
  std::vector<std::string> ids;
  for (std::uint64_t i = 0; i < count; ++i) ids.push_back(std::to_string(first + i));
  std::vector<Message> messages;
  for (const std::string& id : ids) messages.push_back({.body = body, .id = id});
  const std::vector<Sent> sent =
      publishing_.publish_many(kQueue, messages, {.timeout = shape_.publish_timeout});
  const auto now = Clock::now();

  const std::lock_guard lock(mutex_);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Sent& one = sent.at(i);
    published_[first + i] = {one.outcome(), now};
    if (one) {
      ++confirmed_;
      if (!consumed_.contains(first + i)) ++waiting_;
    } else {
      ++unconfirmed_;
      if (errors_.size() < kMostErrors) errors_.insert(one.error().message());
    }
  }
  changed_.notify_all();
}

Decision Traffic::note_consumed(const Delivery& delivery) {
  const std::uint64_t number = number_of(delivery.id());
  const std::lock_guard lock(mutex_);
  Consumed& consumed = consumed_[number];
  if (consumed.times++ == 0) {
    consumed.first = Clock::now();
    const auto published = published_.find(number);
    if (published != published_.end() && published->second.outcome == Outcome::confirmed)
      --waiting_;
  }
  changed_.notify_all();
  return ack();
}

bool Traffic::flows(std::size_t messages, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  std::unique_lock lock(mutex_);
  const std::size_t confirmed = confirmed_ + messages;
  const std::size_t consumed = consumed_.size() + messages;
  return changed_.wait_until(
      lock, deadline, [&] { return confirmed_ >= confirmed && consumed_.size() >= consumed; });
}

bool Traffic::fails(milliseconds timeout) {
  write_off(); // or publishers that pause for a consumer that is stuck, too, would not try
  const auto deadline = Clock::now() + timeout;
  std::unique_lock lock(mutex_);
  const bool failed =
      changed_.wait_until(lock, deadline, [&] { return unconfirmed_ > last_unconfirmed_; });
  last_unconfirmed_ = unconfirmed_;
  return failed;
}

void Traffic::write_off() {
  {
    const std::lock_guard lock(mutex_);
    written_off_ = waiting_;
  }
  changed_.notify_all();
}

void Traffic::stop_publishers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& publisher : publishers_) publisher.join();
  publishers_.clear();
}

/// Of what was confirmed and not consumed; kNone if all was.
std::uint64_t Traffic::first_missing(std::uint64_t from) const {
  const auto found =
      std::find_if(published_.lower_bound(from), published_.end(), [this](const auto& message) {
        return message.second.outcome == Outcome::confirmed && !consumed_.contains(message.first);
      });
  return found == published_.end() ? kNone : found->first;
}

Tally Traffic::finish(std::uint64_t first) {
  stop_publishers();
  {
    std::unique_lock lock(mutex_);
    std::size_t before = SIZE_MAX;
    for (std::uint64_t missing = first; consumed_.size() != before;) {
      missing = first_missing(missing); // those before it have come
      if (missing == kNone) break;
      before = consumed_.size();
      changed_.wait_for(lock, kQuiet, [&] { return consumed_.size() != before; });
    }
  }
  consumer_.reset();
  const std::lock_guard lock(mutex_);
  return tally(first);
}

Tally Traffic::tally(std::uint64_t first) const {
  Tally tally;
  for (const auto& [number, published] : published_) {
    const Outcome outcome = published.outcome;
    const bool came = consumed_.contains(number);
    if (outcome == Outcome::confirmed) tally.confirmed_at[number] = published.at;
    if (outcome == Outcome::in_doubt) ++tally.in_doubt;
    if (outcome == Outcome::failed) ++tally.failed;
    if (outcome == Outcome::confirmed && !came && number >= first) tally.lost.insert(number);
    if (outcome == Outcome::failed && came) tally.failed_yet_stored.insert(number);
  }
  for (const auto& [number, consumed] : consumed_) {
    if (!published_.contains(number)) tally.invented.insert(number);
    if (consumed.times > 1) tally.twice.insert(number);
    tally.consumed_at[number] = consumed.first;
  }
  tally.confirmed = tally.confirmed_at.size();
  tally.consumed = consumed_.size();
  tally.errors = errors_;
  return tally;
}

} // namespace swapmq::live

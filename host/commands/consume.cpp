// SPDX-License-Identifier: MIT
//
// swapmq consume: writes messages to standard output and acks what was written. Whatever ends it,
// a message that was not wholly written goes back to the queue, not counted.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "commands/message_text.h"
#include "daemon/host.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "progress.h"
#include "quantity.h"
#include "signals.h"

namespace swapmq::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t write_bytes = 256 * 1024;
/// How long a wait for messages may keep us from noticing an interruption or a reader that left.
constexpr milliseconds look_around{100};

class Consuming {
 public:
  Consuming(MessageQueue& queue, const CommonOptions& common, const ConsumeCommand& command)
      : queue_(queue),
        common_(common),
        command_(command),
        name_(command.group.empty() ? command.queue : command.queue + "@" + command.group),
        output_(STDOUT_FILENO),
        progress_("consumed", !common.quiet && ::isatty(STDOUT_FILENO) == 0) {}

  void consume(Subscription& subscription);
  void finish(Subscription& subscription);
  ExitCode summary();

 private:
  std::uint64_t expected();
  bool receive(Subscription& subscription);
  bool look_around_while_idle();
  bool ready_but_not_here();
  bool write_all(const std::vector<Delivery>& batch);
  std::size_t written_of(const std::vector<std::size_t>& ends, Output::End end, std::size_t taken);
  void settle(const Delivery& delivery);
  void release(const Delivery& delivery);
  void explain(Output::End end);
  void collect_settled(milliseconds patience);

  MessageQueue& queue_;
  const CommonOptions& common_;
  const ConsumeCommand& command_;
  const std::string name_; ///< of the queue; of the group's, if it is for one
  const Clock::time_point began_ = Clock::now();
  Output output_;
  Progress progress_;
  JsonWriter json_;
  std::string text_;                ///< of the messages that are being written
  std::deque<Delivery> acking_;     ///< acked by us, the broker's word outstanding
  std::vector<Delivery> looked_at_; ///< with --release
  Clock::time_point last_came_ = Clock::now();
  std::uint64_t all_ = 0; ///< as expected(); for the progress line
  std::uint64_t written_ = 0, acked_ = 0, released_ = 0, lost_ = 0;
  ExitCode code_ = exit_done;
};

void Consuming::consume(Subscription& subscription) {
  if (progress_.shown()) all_ = expected();
  while (!signals::interrupted() && receive(subscription)) {
    // Bounded even where the broker does not answer: no more than a few prefetches wait for it.
    const bool many = acking_.size() >= std::size_t{4} * command_.prefetch;
    collect_settled(many ? look_around : milliseconds(0));
    progress_.update(written_, part_of(written_, all_));
  }
}

/// How many there will be, as far as that can be told at the beginning; 0: it cannot.
std::uint64_t Consuming::expected() {
  if (command_.max > 0 || !command_.exits_when_idle) return command_.max;
  const Result<QueueStats> stats = queue_.stats(name_, command_.timeout);
  return stats && stats->ready_precision == Precision::exact ? stats->ready : 0;
}

/// False: the end.
bool Consuming::receive(Subscription& subscription) {
  std::uint64_t wanted = command_.prefetch;
  if (command_.max > 0) wanted = std::min(wanted, command_.max - written_);
  if (wanted == 0) return false;
  milliseconds patience = look_around;
  if (command_.exits_when_idle) {
    const auto left =
        std::chrono::ceil<milliseconds>(last_came_ + command_.idle_exit - Clock::now());
    if (left > milliseconds(0)) patience = std::min(left, look_around);
  }
  Result<std::vector<Delivery>> received =
      subscription.receive(static_cast<std::size_t>(wanted), patience);
  if (!received) {
    progress_.erase();
    code_ = fail(received.error());
    return false;
  }
  if (received->empty()) return look_around_while_idle();
  const bool written = write_all(*received);
  last_came_ = Clock::now();
  return written;
}

bool Consuming::look_around_while_idle() {
  if (output_.reader_gone()) {
    explain(Output::End::reader_gone);
    return false;
  }
  if (!command_.exits_when_idle || Clock::now() < last_came_ + command_.idle_exit) return true;
  return ready_but_not_here();
}

/// Nothing came: since there was nothing, since the broker is gone, or since a busy machine has not
/// come to it yet? Then it is given a little more time. False: the end; if messages are ready even
/// then, it is not a queue that was emptied.
bool Consuming::ready_but_not_here() {
  constexpr milliseconds most{5'000};
  const Result<QueueStats> stats = queue_.stats(name_, std::min(command_.timeout, most));
  if (!stats) {
    progress_.erase();
    code_ = fail(stats.error());
    return false;
  }
  const bool ready = stats->ready_precision == Precision::exact && stats->ready > 0;
  if (!ready) return false;
  if (Clock::now() < last_came_ + command_.idle_exit + most) return true;
  // What we look at and hold may be what others of its ordering key wait for.
  if (!looked_at_.empty()) return false;
  progress_.say("swapmq: " + std::to_string(stats->ready) + " messages of " + name_ +
                " are ready, but none came for " + format_elapsed(Clock::now() - last_came_) +
                "; the queue is not empty\n");
  code_ = exit_unreachable;
  return false;
}

bool Consuming::write_all(const std::vector<Delivery>& batch) {
  std::size_t done = 0;
  while (done < batch.size()) {
    if (signals::interrupted() && done > 0) break;
    text_.clear();
    std::vector<std::size_t> ends;
    for (std::size_t i = done; i < batch.size() && text_.size() < write_bytes; ++i) {
      append_message(text_, batch[i], command_.output, json_);
      ends.push_back(text_.size());
    }
    std::size_t taken = 0;
    Output::End end = output_.write(text_, taken);
    if (end == Output::End::written && command_.sync) end = output_.sync();
    const std::size_t written = written_of(ends, end, taken);
    for (std::size_t i = 0; i < written; ++i) settle(batch[done + i]);
    done += written;
    if (end != Output::End::written) {
      explain(end);
      break;
    }
  }
  if (text_.capacity() > 4 * write_bytes) std::string().swap(text_);
  for (std::size_t i = done; i < batch.size(); ++i) release(batch[i]);
  return done == batch.size();
}

/// How many messages, ending at `ends`, are wholly written; takes the torn rest back.
std::size_t Consuming::written_of(const std::vector<std::size_t>& ends, Output::End end,
                                  std::size_t taken) {
  if (end == Output::End::written) return ends.size();
  // What lies in a pipe whose reader has left was read by nobody; what a sync could not promise is
  // not on the disk.
  if (end == Output::End::reader_gone || taken == ends.back()) return 0;
  const auto first_torn = std::upper_bound(ends.begin(), ends.end(), taken);
  const auto whole = static_cast<std::size_t>(first_torn - ends.begin());
  output_.take_back(taken - (whole == 0 ? 0 : ends[whole - 1]));
  return whole;
}

void Consuming::settle(const Delivery& delivery) {
  ++written_;
  if (command_.release) {
    looked_at_.push_back(delivery);
  } else if (delivery.ack() == Settling::lost) {
    ++lost_;
  } else {
    acking_.push_back(delivery);
  }
}

void Consuming::release(const Delivery& delivery) {
  (void)delivery.release(); // lost means the same: others get it
  ++released_;
}

void Consuming::explain(Output::End end) {
  switch (end) {
    case Output::End::written:
    case Output::End::interrupted:
      break;
    case Output::End::reader_gone:
      if (!common_.quiet) {
        progress_.say("swapmq: the reader of standard output has left; the rest stays queued\n");
      }
      break;
    case Output::End::failed:
      progress_.say(std::string("swapmq: standard output: ") + output_.error() +
                    "; what was not written stays queued\n");
      code_ = exit_failed;
      break;
  }
}

void Consuming::collect_settled(milliseconds patience) {
  while (!acking_.empty()) {
    const Error error = acking_.front().wait_settled(patience);
    if (error.code() == Errc::timeout) return;
    ++(error ? lost_ : acked_);
    acking_.pop_front();
  }
}

void Consuming::finish(Subscription& subscription) {
  for (const Delivery& delivery : looked_at_) release(delivery);
  looked_at_.clear();
  const Error error = subscription.close(command_.timeout);
  if (error && code_ == exit_done) {
    progress_.erase();
    code_ = fail(error);
  }
  collect_settled(milliseconds(1'000));
  lost_ += acking_.size(); // closed, and still no word
  acking_.clear();
}

ExitCode Consuming::summary() {
  progress_.erase();
  // The wait for more that did not come is none of the messages' time.
  const auto took = (written_ > 0 ? last_came_ : Clock::now()) - began_;
  if (lost_ > 0 && code_ == exit_done) code_ = exit_failed;
  if (signals::interrupted()) code_ = exit_interrupted;
  if (common_.json) {
    JsonWriter json;
    json.begin_object()
        .member("queue", name_)
        .member("backend", queue_.backend_name())
        .member("consumed", written_)
        .member("acked", acked_)
        .member("released", released_)
        .member("lost", lost_)
        .member("seconds", std::chrono::duration<double>(took).count())
        .member("interrupted", signals::interrupted())
        .end_object();
    if (!common_.quiet) print_err(json.take()); // standard output is for messages
  } else if (!common_.quiet) {
    print_err("consumed " + std::to_string(written_) + " from " + name_ + " (" +
              queue_.backend_name() + ") in " + format_elapsed(took) + ": acked " +
              std::to_string(acked_) + " released " + std::to_string(released_) + " lost " +
              std::to_string(lost_) + std::string(end_of_summary()));
  }
  return code_;
}

} // namespace

int run(const CommonOptions& common, const ConsumeCommand& command) {
  Host host("consume", common, command.watch);
  if (const Error error = host.open()) return fail_to_open(common, error);
  MessageQueue& queue = host.queue();
  // A subscription connects for as long as it takes; a wrong address should not look like waiting.
  if (const Error error = queue.ping(command.timeout)) return fail_to_open(common, error);
  Result<Subscription> subscription =
      queue.subscribe(command.queue, {.prefetch = command.prefetch, .group = command.group});
  if (!subscription) return fail(subscription.error());
  Consuming consuming(queue, common, command);
  consuming.consume(*subscription);
  host.ending();
  consuming.finish(*subscription);
  const ExitCode code = consuming.summary();
  (void)host.close(command.timeout);
  return host.leave(code);
}

} // namespace swapmq::host

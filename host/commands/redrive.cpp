// SPDX-License-Identifier: MIT
//
// swapmq queue redrive: dead letters go back to where they came from, or to another queue. Each is
// published, confirmed, and only then acked: an end in between leaves it in both places, never in
// none.
#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "commands/publish_tally.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "progress.h"
#include "quantity.h"
#include "signals.h"
#include "table.h"

namespace swapmq::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view dead_letter_prefix = "swapmq-dead-letter-";
constexpr std::string_view from_queue = "swapmq-dead-letter-queue";
constexpr std::size_t batch_size = 256;
constexpr std::uint32_t most_held = 512; // half of them that cannot go back end it
constexpr milliseconds one_look{1000};   // for a message to come
constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

/// Back as it was before it was dead-lettered, but for its count, which begins anew.
class Letter {
 public:
  Letter(const Delivery& delivery, bool keeps_id) : delivery_(delivery) {
    for (const Header& header : delivery.headers()) {
      if (!header.name.starts_with(dead_letter_prefix)) headers_.push_back(header);
    }
    if (keeps_id) id_ = delivery.id();
  }
  [[nodiscard]] Message message() const {
    Message message;
    message.body = delivery_.body();
    message.id = id_;
    message.headers = headers_;
    message.priority = delivery_.priority();
    message.ordering_key = delivery_.ordering_key();
    message.correlation_id = delivery_.correlation_id();
    message.reply_to = delivery_.reply_to();
    message.content_type = delivery_.content_type();
    return message;
  }
  [[nodiscard]] const Delivery& delivery() const { return delivery_; }

 private:
  Delivery delivery_;
  std::vector<Header> headers_;
  std::string_view id_;
};

class Redrive {
 public:
  Redrive(MessageQueue& queue, const CommonOptions& common, const RedriveCommand& command)
      : queue_(queue),
        common_(common),
        command_(command),
        progress_("redriven", !common.quiet),
        // A backend that knows the id would take it for the message that it had already.
        keeps_ids_(capability(queue.backend(), "deduplication") == "absent") {}

  ExitCode run() {
    const Clock::time_point began = Clock::now();
    std::uint64_t left = 0;
    if (const Error error = count(left)) return fail(error);
    // What stays is held meanwhile.
    auto subscription = queue_.subscribe(command_.queue, {.prefetch = most_held});
    if (!subscription) return fail(subscription.error());
    const std::uint64_t all = left;
    Error trouble;
    while (left > 0 && !signals::interrupted() && !tally_.in_vain()) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, batch_size));
      const auto letters = subscription->receive(wanted, one_look);
      if (!letters) trouble = letters.error();
      if (!letters || letters->empty()) break;
      left -= letters->size();
      send_back(*letters);
      progress_.update(tally_.confirmed(), part_of(all - left, all == no_end ? 0 : all));
    }
    for (const Delivery& delivery : kept_) delivery.release();
    const Error closed = subscription->close(command_.timeout);
    if (!trouble) trouble = closed;
    progress_.erase();
    const bool printed = report(Clock::now() - began);
    if (trouble) return fail(trouble);
    const ExitCode code = tally_.exit_code(signals::interrupted());
    return printed || code != exit_done ? code : exit_failed;
  }

 private:
  /// How many to take. What is dead-lettered meanwhile, perhaps once more, stays: it would go in a
  /// circle.
  Error count(std::uint64_t& to) {
    const auto stats = queue_.stats(command_.queue, command_.timeout);
    if (!stats) return stats.error();
    if (!stats->exists) return no_such_queue(command_.queue);
    const bool known = stats->ready_precision == Precision::exact;
    to = known ? stats->ready : no_end;
    if (command_.max > 0) to = std::min(to, command_.max);
    return {};
  }

  std::string target_of(const Delivery& delivery) const {
    if (!command_.to.empty()) return command_.to;
    return std::string(delivery.header(from_queue).value_or(""));
  }

  void send_back(const std::vector<Delivery>& deliveries) {
    std::map<std::string, std::vector<Letter>> by_target;
    for (const Delivery& delivery : deliveries) {
      const std::string target = target_of(delivery);
      if (target.empty() || target == command_.queue) {
        refuse(delivery, target.empty() ? "does not say where it came from; --to names a queue"
                                        : "would come back to the queue that it is in");
      } else {
        by_target[target].emplace_back(delivery, keeps_ids_);
      }
    }
    for (const auto& [target, letters] : by_target) publish(target, letters);
  }

  void publish(const std::string& target, const std::vector<Letter>& letters) {
    std::vector<Message> messages;
    messages.reserve(letters.size());
    for (const Letter& letter : letters) messages.push_back(letter.message());
    const std::vector<Sent> all = queue_.publish_many(target, messages, {command_.timeout});
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Delivery& delivery = letters[i].delivery();
      progress_.say(tally_.add(all[i], "message " + printable(delivery.id())));
      if (all[i]) {
        delivery.ack();
        ++moved_[target];
      } else {
        kept_.push_back(delivery);
      }
    }
  }

  void refuse(const Delivery& delivery, const std::string& why) {
    progress_.say(tally_.add_untried("message " + printable(delivery.id()), why));
    kept_.push_back(delivery);
  }

  bool report(Clock::duration took) {
    if (common_.json) {
      JsonWriter json;
      json.begin_object().member("queue", command_.queue).member("backend", queue_.backend_name());
      json.key("to").begin_object();
      for (const auto& [name, count] : moved_) json.member(name, count);
      json.end_object()
          .member("confirmed", tally_.confirmed())
          .member("failed", tally_.failed())
          .member("in_doubt", tally_.in_doubt())
          .member("seconds", std::chrono::duration<double>(took).count())
          .member("interrupted", signals::interrupted())
          .end_object();
      return print_out(json.take());
    }
    if (common_.quiet) return true;
    std::string to;
    for (const auto& [name, count] : moved_) to += (to.empty() ? " to " : ", ") + printable(name);
    print_err("redriven " + std::to_string(tally_.confirmed()) + " from " +
              printable(command_.queue) + to + " in " + format_elapsed(took) + ": confirmed " +
              std::to_string(tally_.confirmed()) + " failed " + std::to_string(tally_.failed()) +
              " in_doubt " + std::to_string(tally_.in_doubt()) + std::string(end_of_summary()));
    return true;
  }

  MessageQueue& queue_;
  const CommonOptions& common_;
  const RedriveCommand& command_;
  Progress progress_;
  const bool keeps_ids_;
  PublishTally tally_;
  std::map<std::string, std::uint64_t> moved_;
  std::vector<Delivery> kept_; // until the end: what is given back at once would come again
};

} // namespace

int run(const CommonOptions& common, const RedriveCommand& command) {
  Result<MessageQueue> opened = open_message_queue(common);
  if (!opened) return fail_to_open(common, opened.error());
  return Redrive(*opened, common, command).run();
}

} // namespace swapmq::host

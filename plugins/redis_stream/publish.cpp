// SPDX-License-Identifier: MIT
#include "publish.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "entry.hpp"
#include "scripts.hpp"
#include "server_error.hpp"

namespace swapmq::redis {
namespace {

using backend::Deadline;
using backend::Failure;
using backend::Messages;
using backend::PublishResults;

constexpr std::string_view kDoing = "a message";
// The shortest that an XADD is answered with: "$15\r\n1795703073276-0\r\n". (An answer that is
// shorter all the same costs a tick of the transport.)
constexpr std::size_t kAnswerBytes = 22;

/// One publish call over one connection. What it encodes at a time (`publish_chunk`) the server
/// works on while the next is made; what is sent and not answered (`publish_window`) is enough for
/// the pipe to stay full, and bounded so that neither side has to keep much for the other.
class Pipeline {
 public:
  Pipeline(Connection& connection, const PublishTarget& target, Messages messages,
           PublishResults results)
      : connection_(connection), target_(target), messages_(messages), results_(results) {
    sent_.reserve(messages.size());
  }

  void run(Deadline deadline) {
    for (;;) {
      encode_some();
      connection_.push();
      while (answered_ < sent_.size() && connection_.next(answer_)) take_answer();
      if (answered_ == sent_.size()) {
        redo_unknown();
        if (encoded_all()) break;
      }
      if (may_encode()) {
        connection_.receive();
      } else {
        // Most of them at once: each wake-up costs more than what it brings.
        connection_.await(deadline, scripted_ ? 1 : in_flight() * kAnswerBytes * 3 / 4);
      }
    }
    if (target_.options.wait_replicas > 0 && confirmed_ > 0) wait_for_replicas(deadline);
  }

  /// The connection broke: what was sent and not answered is in doubt, the rest was never there for
  /// the server to do, a command that was cut in the middle neither.
  void give_up(const Failure& failure) {
    for (std::size_t i = answered_; i < sent_.size(); ++i) {
      const bool whole = sent_[i].end <= connection_.bytes_sent();
      results_[sent_[i].message] = whole
                                       ? backend::in_doubt(failure.status())
                                       : backend::failed(failure.status(), SWAPMQ_ERROR_RETRYABLE);
    }
    const auto undone = backend::failed(failure.status(), SWAPMQ_ERROR_RETRYABLE);
    for (const std::size_t message : unknown_) results_[message] = undone;
    for (; again_at_ < again_.size(); ++again_at_) results_[again_[again_at_]] = undone;
    for (; next_ < messages_.size(); ++next_) results_[next_] = undone;
    doubt_what_replicas_may_lack(failure.status());
  }

  /// The first error that the server answered with.
  [[nodiscard]] const std::optional<std::string>& refusal() const { return refusal_; }

 private:
  struct Sent {
    std::size_t message;
    uint64_t end; // of its command, among all bytes of the connection
    bool by_hash; // a script that the server has to know
  };

  [[nodiscard]] bool encoded_all() const {
    return again_at_ == again_.size() && next_ == messages_.size();
  }
  [[nodiscard]] std::size_t in_flight() const { return sent_.size() - answered_; }
  [[nodiscard]] bool has_room() const {
    return connection_.unsent() < target_.options.publish_chunk_bytes;
  }
  [[nodiscard]] bool may_encode() const {
    // What is to be done again comes before what follows it.
    return unknown_.empty() && !encoded_all() && in_flight() < target_.options.publish_window &&
           has_room();
  }

  void encode_some() {
    if (!may_encode()) return;
    // The first is smaller: until it is there, the server has nothing to do.
    constexpr std::size_t kLeast = 16;
    const uint64_t first = std::max(kLeast, messages_.size() / 4);
    const uint64_t chunk = target_.options.publish_chunk;
    const uint64_t most = sent_.empty() ? std::min(first, chunk) : chunk;
    for (uint64_t i = 0; i < most && has_room(); ++i) {
      if (encoded_all()) return;
      encode(again_at_ < again_.size() ? again_[again_at_++] : next_++);
    }
  }

  /// What the server did nothing about because it did not know the script, as after SCRIPT FLUSH:
  /// the next call brings the text. All that was sent is answered before, so that their order
  /// stays.
  void redo_unknown() {
    if (unknown_.empty()) return;
    unknown_.insert(unknown_.end(), again_.begin() + static_cast<std::ptrdiff_t>(again_at_),
                    again_.end());
    again_ = std::exchange(unknown_, {});
    again_at_ = 0;
  }

  void encode(std::size_t i) {
    const swapmq_message& message = messages_[i];
    if (too_large(message)) {
      results_[i] = backend::failed(SWAPMQ_TOO_LARGE);
      return;
    }
    bool by_hash = false;
    if (needs_script(message)) {
      scripted_ = true;
      by_hash = (connection_.scripts_sent & scripts::publish().bit) != 0;
      call_script(message);
    } else {
      Commands& out = connection_.out();
      out.begin(target_.xadd_arguments + field_arguments(message)).raw(target_.xadd);
      append_fields(out, message);
    }
    sent_.push_back({i, connection_.bytes_queued(), by_hash});
  }

  static bool too_large(const swapmq_message& message) {
    if (message.body.size > kMaxBodyBytes || message.header_count > kMaxHeaderCount) return true;
    uint64_t bytes = 0;
    const backend::Headers headers = backend::headers_of(message);
    for (std::size_t i = 0; i < headers.size(); ++i) {
      bytes += headers[i].name.size + headers[i].value.size;
    }
    return bytes > kMaxHeadersBytes;
  }

  [[nodiscard]] bool needs_script(const swapmq_message& message) const {
    return target_.always_by_script || message.expires_at_ms != 0 ||
           (message.due_at_ms != 0 && message.due_at_ms > backend::unix_now_ms() - kSkew_ms);
  }

  void call_script(const swapmq_message& message) {
    const QueueKeys& keys = target_.keys;
    // A message that was moved away and comes back is not the one that is remembered.
    const bool moved = message.first_published_ms != 0;
    const auto window = moved ? 0 : target_.options.deduplication_window.count();
    // Without deduplication the fifth key is not used; all the same it must be one of this slot.
    const std::string seen = window > 0 ? keys.seen(backend::view(message.id)) : keys.own;
    Commands& out = begin_call(connection_, scripts::publish(),
                               {keys.stream, keys.scheduled, keys.later, keys.expiry, seen},
                               6 + field_arguments(message));
    out.arg(keys.group).arg(message.due_at_ms).arg(message.expires_at_ms);
    out.arg(window).arg(target_.max_length).arg(target_.options.max_length);
    append_fields(out, message);
  }

  void take_answer() {
    const Sent& sent = sent_[answered_];
    // What comes before the question, or is none of its answers, leaves the message in doubt.
    if (sent.end > connection_.bytes_sent()) no_answer(kDoing);
    swapmq_publish_result& result = results_[sent.message];
    const bool refused = answer_.type == REDIS_REPLY_ERROR;
    if (refused && script_is_unknown(connection_, answer_.text) && sent.by_hash) {
      unknown_.push_back(sent.message);
    } else if (refused) {
      const Meaning meaning = meaning_of(answer_.text);
      result = backend::failed(meaning.status, meaning.flags);
      if (!refusal_) refusal_ = answer_.text;
    } else if (answer_.type == REDIS_REPLY_STRING && answer_.text == "full") {
      result = backend::failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
    } else if (is_entry_id(answer_.type, answer_.text) || was_taken_by_script()) {
      result = backend::confirmed();
      ++confirmed_;
    } else {
      no_answer(kDoing);
    }
    ++answered_;
  }

  [[nodiscard]] bool was_taken_by_script() const {
    return answer_.type == REDIS_REPLY_STRING &&
           (answer_.text == "stored" || answer_.text == "duplicate" || answer_.text == "expired");
  }

  /// WAIT covers all that this connection wrote before it.
  void wait_for_replicas(Deadline deadline) {
    const Options& options = target_.options;
    connection_.out().add("WAIT", options.wait_replicas, options.wait_timeout.count());
    const OwnedReply reply = connection_.read_late(deadline, options.wait_timeout);
    if (!reply->is_error() &&
        expect_integer(*reply, 0, INT64_MAX, "WAIT") >= options.wait_replicas) {
      return;
    }
    doubt_what_replicas_may_lack(SWAPMQ_UNAVAILABLE);
  }

  void doubt_what_replicas_may_lack(swapmq_status status) {
    if (target_.options.wait_replicas == 0) return;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].outcome == SWAPMQ_PUBLISH_CONFIRMED) {
        results_[i] = backend::in_doubt(status);
      }
    }
  }

  // The script goes by the server's clock, which may be behind ours.
  static constexpr int64_t kSkew_ms = 60'000;

  Connection& connection_;
  const PublishTarget& target_;
  Messages messages_;
  PublishResults results_;
  std::vector<Sent> sent_;
  std::size_t next_ = 0;             // the first that was never encoded
  std::size_t answered_ = 0;         // of sent_
  std::vector<std::size_t> unknown_; // whose script the server did not know: to be done again
  std::vector<std::size_t> again_;   // the same, once nothing is on its way any more
  std::size_t again_at_ = 0;         // in again_: the first that is not encoded
  std::size_t confirmed_ = 0;
  bool scripted_ = false;
  Brief answer_;
  std::optional<std::string> refusal_;
};

} // namespace

PublishTarget::PublishTarget(const QueueKeys& its_keys, const Options& its_options,
                             uint64_t its_max_length)
    : keys(its_keys),
      options(its_options),
      max_length(its_max_length),
      always_by_script(max_length != 0 || options.deduplication_window.count() > 0) {
  Commands head;
  head.arg("XADD").arg(keys.stream);
  xadd_arguments = 3;
  if (options.max_length > 0) {
    head.arg("MAXLEN").arg("~").arg(options.max_length);
    xadd_arguments += 3;
  }
  head.arg("*");
  xadd = head.bytes();
}

void publish_messages(Link& link, const PublishTarget& target, Messages messages,
                      PublishResults results, Deadline deadline) {
  Connection& connection = link.open(deadline);
  Pipeline pipeline(connection, target, messages, results);
  try {
    pipeline.run(deadline);
  } catch (const Failure& failure) {
    pipeline.give_up(failure);
    failure.status() == SWAPMQ_TIMEOUT ? link.drop() : link.broke();
    throw; // all results are there; the failure's text says why
  }
  if (pipeline.refusal()) {
    // A replica, for one, is what a name no longer stands for: look it up again.
    if (meaning_of(*pipeline.refusal()).status == SWAPMQ_UNAVAILABLE) link.drop();
    throw server_failure(kDoing, *pipeline.refusal());
  }
}

} // namespace swapmq::redis

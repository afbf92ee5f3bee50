// SPDX-License-Identifier: MIT
//
// swapmq publish: cuts the input into messages and publishes them in batches. Interrupted, it
// publishes the lines that were read already (a pipe would lose them), unless a rate would make
// that long.
#include <algorithm>
#include <chrono>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/commands.h"
#include "commands/message_line.h"
#include "commands/publish_tally.h"
#include "daemon/host.h"
#include "input.h"
#include "json_output.h"
#include "line_splitter.h"
#include "output.h"
#include "program.h"
#include "progress.h"
#include "quantity.h"
#include "rate_limiter.h"
#include "signals.h"

namespace swapmq::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t read_bytes = 256 * 1024;
/// A batch is published before it is full when it holds so much,
constexpr std::size_t batch_bytes = 4 * 1024 * 1024;
/// or when the input has paused for so long.
constexpr milliseconds flush_after{10};
constexpr milliseconds no_hurry{3'600'000};

/// The messages of one publish call, and the lines of the input that they came from.
struct Batch {
  struct Parsed {
    MessageLine line;
    std::vector<Header> headers;
  };
  std::deque<Parsed> parsed; ///< with --ndjson: what the messages view, which stays where it is
  std::vector<Message> messages;
  std::vector<std::uint64_t> lines;
};

class Publishing {
 public:
  Publishing(MessageQueue& queue, const CommonOptions& common, const PublishCommand& command);

  void publish_lines(Input& input);
  void publish_whole(Input& input);
  ExitCode summary();

 private:
  bool receive_line_input(Input& input, LineSplitter& splitter);
  void send_ready(Input& input, LineSplitter& splitter);
  void send(const std::vector<LineSplitter::Line>& lines);
  void count_dropped(LineSplitter& splitter);
  void wait_for_pace();
  [[nodiscard]] Message message(std::string_view body) const;
  [[nodiscard]] Message message(Batch::Parsed& parsed) const;
  Batch batch_of(const std::vector<LineSplitter::Line>& lines);
  void add_parsed(const LineSplitter::Line& line, Batch& to);

  MessageQueue& queue_;
  const CommonOptions& common_;
  const PublishCommand& command_;
  const Clock::time_point began_ = Clock::now();
  std::vector<Header> headers_;
  RateLimiter limiter_;
  Progress progress_;
  PublishTally tally_;
  std::uint64_t last_line_ = 0; ///< the last one tried
  bool flush_ = false;          ///< what is ready goes out, be it less than a batch
  bool ended_ = false;          ///< no more is read
  bool input_failed_ = false;
};

Publishing::Publishing(MessageQueue& queue, const CommonOptions& common,
                       const PublishCommand& command)
    : queue_(queue),
      common_(common),
      command_(command),
      limiter_(command.rate, Clock::now()),
      progress_("published", !common.quiet),
      // A line of --ndjson says more than its body: another one may ask for less.
      tally_(command.ndjson ? std::set<Errc>{Errc::not_supported} : std::set<Errc>{}) {
  for (const auto& [name, value] : command.headers) headers_.push_back({name, value});
}

Message Publishing::message(std::string_view body) const {
  return {.body = body,
          .id = command_.id,
          .headers = headers_,
          .delay = command_.delay,
          .ttl = command_.ttl,
          .priority = command_.priority,
          .ordering_key = command_.ordering_key,
          .correlation_id = command_.correlation_id,
          .reply_to = command_.reply_to,
          .content_type = command_.content_type};
}

/// What the line does not say the command line does.
Message Publishing::message(Batch::Parsed& parsed) const {
  const MessageLine& line = parsed.line;
  parsed.headers = headers_;
  for (const auto& [name, value] : line.headers) parsed.headers.push_back({name, value});
  Message message = this->message(line.body);
  message.headers = parsed.headers;
  if (!command_.new_ids) message.id = line.id;
  if (line.delay) message.delay = *line.delay;
  if (line.ttl) message.ttl = *line.ttl;
  if (line.priority) message.priority = *line.priority;
  if (!line.ordering_key.empty()) message.ordering_key = line.ordering_key;
  if (!line.correlation_id.empty()) message.correlation_id = line.correlation_id;
  if (!line.reply_to.empty()) message.reply_to = line.reply_to;
  if (!line.content_type.empty()) message.content_type = line.content_type;
  return message;
}

void Publishing::publish_lines(Input& input) {
  LineSplitter splitter(command_.null_separated ? '\0' : '\n', command_.max_size);
  while (!tally_.in_vain()) {
    const bool full = splitter.ready() >= command_.batch || splitter.ready_bytes() >= batch_bytes;
    if (splitter.ready() > 0 && (full || flush_)) {
      if (signals::interrupted() && command_.rate > 0) return;
      send_ready(input, splitter);
    } else if (ended_ || !receive_line_input(input, splitter)) {
      return;
    }
  }
  if (ended_ && splitter.ready() == 0) return;
  progress_.say("swapmq: publishing ended at line " + std::to_string(last_line_) + " of " +
                input.name() + "; what follows was not published\n");
}

/// False: there is nothing more, nor anything left to send.
bool Publishing::receive_line_input(Input& input, LineSplitter& splitter) {
  std::size_t count = 0;
  const milliseconds patience = splitter.ready() > 0 ? flush_after : no_hurry;
  switch (input.read(splitter.space(read_bytes), read_bytes, patience, count)) {
    case Input::Event::data:
      splitter.filled(count);
      count_dropped(splitter);
      flush_ = false;
      return true;
    case Input::Event::paused:
      flush_ = true;
      return true;
    case Input::Event::end:
      splitter.finish();
      break;
    case Input::Event::interrupted: // the line that was begun is not one
      break;
    case Input::Event::failed:
      progress_.say("swapmq: " + input.error() + "\n");
      input_failed_ = true;
      break;
  }
  flush_ = ended_ = true;
  return splitter.ready() > 0;
}

void Publishing::count_dropped(LineSplitter& splitter) {
  for (const std::uint64_t line : splitter.take_dropped()) {
    progress_.say(tally_.add_too_large("line " + std::to_string(line), command_.max_size));
  }
}

void Publishing::wait_for_pace() {
  const auto wait = std::chrono::ceil<milliseconds>(limiter_.next() - Clock::now());
  if (wait > milliseconds(0)) (void)signals::wait(-1, 0, wait);
}

void Publishing::send_ready(Input& input, LineSplitter& splitter) {
  const std::size_t wanted = std::min<std::size_t>(command_.batch, splitter.ready());
  const std::size_t allowed = limiter_.allowed(wanted, Clock::now());
  if (allowed == 0) {
    wait_for_pace();
    return;
  }
  limiter_.sent(allowed);
  send(splitter.take(allowed));
  progress_.update(tally_.confirmed(), input.part_done(splitter.held_bytes()));
}

void Publishing::add_parsed(const LineSplitter::Line& line, Batch& to) {
  if (is_blank(line.text)) return;
  Result<MessageLine> parsed = parse_message_line(line.text);
  if (!parsed) {
    progress_.say(tally_.add_bad_line(line.number, parsed.error().message()));
    return;
  }
  to.parsed.push_back({std::move(*parsed), {}});
  to.messages.push_back(message(to.parsed.back()));
  to.lines.push_back(line.number);
}

Batch Publishing::batch_of(const std::vector<LineSplitter::Line>& lines) {
  Batch batch;
  batch.messages.reserve(lines.size());
  for (const auto& line : lines) {
    if (command_.ndjson) {
      add_parsed(line, batch);
    } else {
      batch.messages.push_back(message(line.text));
      batch.lines.push_back(line.number);
    }
  }
  return batch;
}

void Publishing::send(const std::vector<LineSplitter::Line>& lines) {
  const Batch batch = batch_of(lines);
  last_line_ = lines.back().number;
  if (batch.messages.empty()) return;
  const std::vector<Sent> sent =
      queue_.publish_many(command_.queue, batch.messages, {.timeout = command_.timeout});
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const std::string place = sent[i] ? std::string() : "line " + std::to_string(batch.lines[i]);
    const std::string complaint = tally_.add(sent[i], place);
    if (!complaint.empty()) progress_.say(complaint);
  }
}

void Publishing::publish_whole(Input& input) {
  std::string body;
  std::size_t size = 0;
  for (;;) {
    if (size > command_.max_size) {
      print_err(tally_.add_too_large(input.name(), command_.max_size));
      return;
    }
    if (body.size() - size < read_bytes) body.resize(std::max(size + read_bytes, body.size() * 2));
    std::size_t count = 0;
    const Input::Event event = input.read(body.data() + size, body.size() - size, no_hurry, count);
    if (event == Input::Event::interrupted) return; // part of a message is none
    if (event == Input::Event::failed) {
      print_err("swapmq: " + input.error() + "\n");
      input_failed_ = true;
      return;
    }
    size += count;
    if (event == Input::Event::end) break;
  }
  const Message whole = message(std::string_view(body).substr(0, size));
  const Sent sent = queue_.publish(command_.queue, whole, {.timeout = command_.timeout});
  print_err(tally_.add(sent, input.name()));
}

ExitCode Publishing::summary() {
  progress_.erase();
  const auto took = Clock::now() - began_;
  ExitCode code = tally_.exit_code(signals::interrupted());
  if (code == exit_done && input_failed_) code = exit_failed;
  if (common_.json) {
    JsonWriter json;
    json.begin_object()
        .member("queue", command_.queue)
        .member("backend", queue_.backend_name())
        .member("confirmed", tally_.confirmed())
        .member("failed", tally_.failed())
        .member("in_doubt", tally_.in_doubt())
        .member("seconds", std::chrono::duration<double>(took).count())
        .member("interrupted", signals::interrupted())
        .end_object();
    if (!print_out(json.take()) && code == exit_done) code = exit_failed;
  } else if (!common_.quiet) {
    print_err("published " + std::to_string(tally_.confirmed()) + " to " + command_.queue + " (" +
              queue_.backend_name() + ") in " + format_elapsed(took) + ": confirmed " +
              std::to_string(tally_.confirmed()) + " failed " + std::to_string(tally_.failed()) +
              " in_doubt " + std::to_string(tally_.in_doubt()) + std::string(end_of_summary()));
  }
  return code;
}

} // namespace

int run(const CommonOptions& common, const PublishCommand& command) {
  Result<Input> input = Input::open(command.file);
  if (!input) return fail(input.error());
  Host host("publish", common, command.watch);
  if (const Error error = host.open()) return fail_to_open(common, error);
  MessageQueue& queue = host.queue();
  if (!common.quiet && capability(queue.backend(), "sharing") == "process") {
    print_err("swapmq: note: " + queue.backend_name() +
              " keeps its queues in this process alone; they are forgotten when it ends\n");
  }
  if (!common.quiet && input->is_terminal()) {
    print_err("swapmq: reading from the terminal; end with Ctrl-D\n");
  }
  Publishing publishing(queue, common, command);
  if (command.lines || command.null_separated || command.ndjson) {
    publishing.publish_lines(*input);
  } else {
    publishing.publish_whole(*input);
  }
  host.ending();
  const ExitCode code = publishing.summary();
  (void)host.close(command.timeout); // all was answered for; nothing can be lost here any more
  return host.leave(code);
}

} // namespace swapmq::host

// SPDX-License-Identifier: MIT
//
// swapmq queue create|delete|stats|purge|list. Several queues are worked through in order; the
// first error ends it.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "confirmation.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "table.h"

namespace swapmq::host {
namespace {

/// Asks before that is done; what to exit with if it must not be.
std::optional<ExitCode> refused_by_user(const std::string& question, const std::string& outcome) {
  switch (ask(question)) {
    case Answer::yes:
      return std::nullopt;
    case Answer::no:
      break;
    case Answer::interrupted:
      print_err("swapmq: " + outcome + "\n");
      return exit_interrupted;
    case Answer::cannot_ask:
      print_err("swapmq: " + outcome + ": there is no terminal to ask on; --yes does not ask\n");
      return exit_failed;
  }
  print_err("swapmq: " + outcome + "\n");
  return exit_failed;
}

/// Those that were named, and for each that has groups those of its groups.
std::vector<std::string> with_groups(const MessageQueue& queue,
                                     const std::vector<std::string>& named) {
  std::vector<std::string> all;
  for (const std::string& name : named) {
    all.push_back(name);
    for (const std::string& group : queue.groups(name)) {
      if (!group.empty()) all.push_back(name + "@" + group);
    }
  }
  return all;
}

/// Whether messages that are published to it stay in it.
bool keeps_messages(const MessageQueue& queue, const std::string& name) {
  const std::vector<std::string> groups = queue.groups(name);
  return groups.empty() || std::find(groups.begin(), groups.end(), "") != groups.end();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
  return text;
}

/// `{"queues":[...]}`, each element an object that `members` fills.
class QueueReport {
 public:
  explicit QueueReport(const MessageQueue& queue) {
    json_.begin_object().member("backend", queue.backend_name()).key("queues").begin_array();
  }
  void add(const std::string& name, const std::function<void(JsonWriter&)>& members = {}) {
    json_.begin_object().member("queue", name);
    if (members) members(json_);
    json_.end_object();
  }
  bool print() { return print_out(json_.end_array().end_object().take()); }

 private:
  JsonWriter json_;
};

int create(MessageQueue& queue, const CommonOptions& common, const QueueCommand& command) {
  QueueReport report(queue);
  for (const std::string& name : with_groups(queue, command.queues)) {
    if (!keeps_messages(queue, name)) continue;
    if (const Error error = queue.create_queue(name, command.timeout)) return fail(error);
    report.add(name);
  }
  return common.json ? printed(report.print()) : exit_done;
}

int remove(MessageQueue& queue, const CommonOptions& common, const QueueCommand& command) {
  const std::vector<std::string> names = with_groups(queue, command.queues);
  if (!command.yes) {
    const auto refused = refused_by_user("Delete " + joined(names) + " and all messages in it?",
                                         "nothing was deleted");
    if (refused) return *refused;
  }
  QueueReport report(queue);
  for (const std::string& name : names) {
    if (const Error error = queue.delete_queue(name, command.timeout)) return fail(error);
    report.add(name);
  }
  return common.json ? printed(report.print()) : exit_done;
}

int purge(MessageQueue& queue, const CommonOptions& common, const QueueCommand& command) {
  const std::vector<std::string> names = with_groups(queue, command.queues);
  if (!command.yes) {
    const auto refused = refused_by_user(
        "Remove all ready and delayed messages of " + joined(names) + "?", "nothing was removed");
    if (refused) return *refused;
  }
  QueueReport report(queue);
  std::string text;
  for (const std::string& name : names) {
    const Result<std::uint64_t> removed = queue.purge(name, command.timeout);
    if (!removed) {
      print_out(text);
      return fail(removed.error());
    }
    report.add(name, [&](JsonWriter& json) { json.member("removed", *removed); });
    text += "removed " + std::to_string(*removed) + " from " + printable(name) + "\n";
  }
  if (common.json) return printed(report.print());
  return common.quiet ? exit_done : printed(print_out(text));
}

Result<std::vector<std::string>> listed(MessageQueue& queue, const QueueCommand& command) {
  Result<std::vector<std::string>> names = queue.list_queues(command.timeout);
  if (!names && names.error().code() == Errc::not_supported) {
    return Error(Errc::not_supported,
                 queue.backend_name() + " cannot list its queues; name the queue");
  }
  return names;
}

std::string figure(std::uint64_t value, Precision precision) {
  switch (precision) {
    case Precision::exact:
      return std::to_string(value);
    case Precision::approximate:
      return "~" + std::to_string(value);
    case Precision::unknown:
      break;
  }
  return "?";
}

void add_figure(JsonWriter& json, const std::string& name, std::uint64_t value,
                Precision precision) {
  if (precision == Precision::unknown) return;
  json.member(name, value);
  if (precision == Precision::approximate) json.member(name + "_approximate", true);
}

void add_stats(JsonWriter& json, const QueueStats& stats) {
  json.member("exists", stats.exists);
  add_figure(json, "ready", stats.ready, stats.ready_precision);
  add_figure(json, "unacked", stats.unacked, stats.unacked_precision);
  add_figure(json, "delayed", stats.delayed, stats.delayed_precision);
}

int stats(MessageQueue& queue, const CommonOptions& common, const QueueCommand& command) {
  std::vector<std::string> names = with_groups(queue, command.queues);
  if (names.empty()) {
    Result<std::vector<std::string>> all = listed(queue, command);
    if (!all) return fail(all.error());
    names = std::move(*all);
  }
  QueueReport report(queue);
  std::vector<std::vector<std::string>> rows{{"QUEUE", "READY", "UNACKED", "DELAYED"}};
  std::string missing;
  for (const std::string& name : names) {
    const Result<QueueStats> read = queue.stats(name, command.timeout);
    if (!read) return fail(read.error());
    if (!read->exists && !keeps_messages(queue, name)) continue; // its groups are in the list
    report.add(name, [&](JsonWriter& json) { add_stats(json, *read); });
    if (read->exists) {
      rows.push_back({name, figure(read->ready, read->ready_precision),
                      figure(read->unacked, read->unacked_precision),
                      figure(read->delayed, read->delayed_precision)});
    } else {
      missing += "swapmq: there is no queue \"" + printable(name) + "\"\n";
    }
  }
  const bool any = rows.size() > 1 || missing.empty();
  const bool done =
      common.json ? report.print() : !any || print_out(format_table_with_heading(rows));
  print_err(missing);
  return printed(done && missing.empty());
}

int list(MessageQueue& queue, const CommonOptions& common, const QueueCommand& command) {
  if (command.sizes) return stats(queue, common, command);
  const Result<std::vector<std::string>> names = listed(queue, command);
  if (!names) return fail(names.error());
  if (common.json) {
    QueueReport report(queue);
    for (const std::string& name : *names) report.add(name);
    return printed(report.print());
  }
  const bool for_people = ::isatty(STDOUT_FILENO) == 1;
  std::string text;
  for (const std::string& name : *names) text += (for_people ? printable(name) : name) + "\n";
  return printed(print_out(text));
}

} // namespace

int run(const CommonOptions& common, const QueueCommand& command) {
  Result<MessageQueue> opened = open_message_queue(common);
  if (!opened) return fail_to_open(common, opened.error());
  using Action = QueueCommand::Action;
  switch (command.action) {
    case Action::create:
      return create(*opened, common, command);
    case Action::remove:
      return remove(*opened, common, command);
    case Action::stats:
      return stats(*opened, common, command);
    case Action::purge:
      return purge(*opened, common, command);
    case Action::list:
      break;
  }
  return list(*opened, common, command);
}

} // namespace swapmq::host

// SPDX-License-Identifier: MIT
#include "daemon/supervisor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "output.h"
#include "quantity.h"
#include "signals.h"
#include "table.h"

namespace swapmq::host {
namespace {

constexpr milliseconds busy_period{100};  // while a switch is under way
constexpr milliseconds idle_period{1000}; // otherwise

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::uint64_t owed_messages(const SwitchStatus& status) {
  std::uint64_t sum = 0;
  for (const BackendStatus& one : status.backends) {
    if (one.owed) sum += one.ready + one.unacked + one.delayed;
  }
  return sum;
}

} // namespace

Supervisor::Supervisor(MessageQueue& queue, ConfigSource& source, Setup setup)
    : queue_(queue),
      setup_(std::move(setup)),
      rung_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      worker_(rung_.get()),
      reloader_([&queue, &source] { return source.reload(queue); }, worker_),
      desk_(queue, setup_.facts, reloader_, worker_) {}

Error Supervisor::start() {
  if (!setup_.facts.state_dir.empty()) {
    Result<ControlSocket> socket = ControlSocket::listen(setup_.facts.state_dir);
    if (!socket) return socket.error();
    server_ = std::make_unique<ControlServer>(
        std::move(*socket),
        [this](std::string_view line, Clock::time_point now) { return desk_.begin(line, now); });
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void Supervisor::ending() {
  ending_ = true;
  ::eventfd_write(rung_.get(), 1);
}

bool Supervisor::finish(milliseconds patience) {
  stopping_ = true;
  ::eventfd_write(rung_.get(), 1);
  if (thread_.joinable()) thread_.join();
  server_.reset(); // the socket goes before the lock on its folder
  return worker_.finish(Clock::now() + patience);
}

void Supervisor::stop() {
  (void)finish(milliseconds(0));
  worker_.stop();
}

void Supervisor::run() {
  notifier_.ready(summary());
  while (!stopping_) {
    const auto now = Clock::now();
    take_wishes(now);
    look_at_reload();
    look_at_switch(now);
    if (server_ != nullptr) server_->serve(now);
    keep_alive(now);
    wait(now);
  }
}

void Supervisor::wait(Clock::time_point now) {
  std::vector<pollfd> watched{{rung_.get(), POLLIN, 0}, {signals::hangup_descriptor(), POLLIN, 0}};
  Clock::time_point due = next_look_;
  if (notifier_.alive_period()) due = std::min(due, next_alive_);
  if (setup_.watcher != nullptr) {
    watched.push_back({setup_.watcher->descriptor(), POLLIN, 0});
    due = std::min(due, setup_.watcher->due());
  }
  if (server_ != nullptr) {
    server_->add_descriptors(watched);
    due = std::min(due, server_->due(now));
  }
  const auto left = std::chrono::ceil<milliseconds>(due - Clock::now());
  const auto left_ms = std::clamp<std::int64_t>(left.count(), 0, idle_period.count());
  (void)::poll(watched.data(), watched.size(), static_cast<int>(left_ms));
  eventfd_t count = 0;
  if (::eventfd_read(rung_.get(), &count) == 0) next_look_ = {};
}

void Supervisor::take_wishes(Clock::time_point now) {
  if (signals::take_hangup()) ask_reload("SIGHUP");
  if (setup_.watcher != nullptr && setup_.watcher->look(now)) ask_reload("the file changed");
  if (ending_ && !std::exchange(said_ending_, true)) {
    desk_.ending();
    notifier_.stopping();
  }
}

/// Told for each, also while another one is under way: the manager looks at the time of it.
void Supervisor::ask_reload(const std::string& why) {
  notifier_.reloading();
  reload_awaited_ = true;
  reloader_.ask(why);
}

void Supervisor::look_at_reload() {
  const bool busy = reloader_.busy();
  for (const Reloaded& one : reloader_.after(reload_said_)) {
    reload_said_ = one.number;
    say_reloaded(one);
    next_look_ = {};
  }
  if (busy) {
    if (!std::exchange(reload_awaited_, true)) notifier_.reloading();
    return;
  }
  if (std::exchange(reload_awaited_, false)) notifier_.ready(summary());
}

void Supervisor::say_reloaded(const Reloaded& reloaded) {
  const std::string head = "configuration read again (" + reloaded.why + "): ";
  if (reloaded.error) {
    say(head + "not followed, " + queue_.backend_name() +
            " goes on as it is: " + reloaded.error.message(),
        true);
    return;
  }
  const ReloadResult& result = reloaded.result;
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (result.switch_number > 0) add("switch " + std::to_string(result.switch_number) + " begins");
  if (!result.live.empty()) add("in force: " + joined(result.live));
  if (!result.at_restart.empty()) add("in force after a restart: " + joined(result.at_restart));
  if (text.empty()) add("nothing is different");
  say(head + text);
}

void Supervisor::look_at_switch(Clock::time_point now) {
  if (now < next_look_) return;
  const SwitchStatus status = queue_.switch_status();
  switch_under_way_ = under_way(status.phase);
  next_look_ = now + (switch_under_way_ || reloader_.busy() ? busy_period : idle_period);
  if (status.number != switch_said_ || status.phase != phase_said_) say_switch(status);
  switch_said_ = status.number;
  phase_said_ = status.phase;
  if (status.config_refused && !std::exchange(refusal_said_, true)) {
    const std::string refused = name_of(status.configured);
    say("the configuration names " + refused + ", which was rolled back from; " +
        queue_.backend_name() + " stays until it names another one, or 'swapmq switch " + refused +
        "' asks for it");
  }
  refusal_said_ = status.config_refused;
  if (!said_ending_ && !reload_awaited_) notifier_.status(summary());
}

void Supervisor::say_switch(const SwitchStatus& status) {
  if (status.phase == SwitchPhase::none) return;
  std::string text = "switch " + std::to_string(status.number) + " from " + name_of(status.from) +
                     " to " + name_of(status.to) + ": ";
  if (status.phase == SwitchPhase::refused && !status.error) {
    say(text + "a dry run, nothing has changed");
    return;
  }
  text += std::string(to_string(status.phase)) + ", after " + format_elapsed(status.elapsed);
  if (status.error) text += ": " + status.error.message();
  const bool ended_in_vain = !under_way(status.phase) && status.phase != SwitchPhase::retired;
  if (ended_in_vain) text += "; " + queue_.backend_name() + " goes on as it is";
  say(text, static_cast<bool>(status.error));
}

void Supervisor::keep_alive(Clock::time_point now) {
  const auto period = notifier_.alive_period();
  if (!period || now < next_alive_) return;
  notifier_.alive();
  next_alive_ = now + *period;
}

/// One line for the service manager's status.
std::string Supervisor::summary() const {
  const SwitchStatus status = queue_.switch_status();
  std::string text = queue_.backend_name();
  if (under_way(status.phase)) {
    text += "; switch from " + name_of(status.from) + " to " + name_of(status.to) + ": " +
            std::string(to_string(status.phase)) + ", " + std::to_string(owed_messages(status)) +
            " messages left";
  } else if (status.error) {
    text += "; the switch to " + name_of(status.to) + " " + std::string(to_string(status.phase)) +
            ": " + status.error.message();
  }
  if (const Reloaded last = reloader_.last(); last.error) {
    text += "; configuration not followed: " + last.error.message();
  }
  return text;
}

void Supervisor::say(const std::string& text, bool is_error) const {
  if (setup_.quiet && !is_error) return;
  // A line of progress may stand there.
  const std::string clear = stderr_is_terminal() ? "\r\033[K" : "";
  print_err(clear + "swapmq: " + printable_lines(text, "; ") + "\n");
}

} // namespace swapmq::host

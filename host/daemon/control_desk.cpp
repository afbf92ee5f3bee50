// SPDX-License-Identifier: MIT
#include "daemon/control_desk.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "quantity.h"
#include "swapmq/backend_locks.hpp"

namespace swapmq::host {
namespace {

using Clock = Errand::Clock;
using Do = ControlRequest::Do;

constexpr milliseconds progress_period{200};

/// What the worker hands back; it may do so after whoever asked has gone.
class Asked {
 public:
  void set(Result<std::uint64_t> number) SWAPMQ_EXCLUDES(mutex_) {
    const backend::Lock lock(mutex_);
    number_ = std::move(number);
  }
  [[nodiscard]] std::optional<Result<std::uint64_t>> get() const SWAPMQ_EXCLUDES(mutex_) {
    const backend::Lock lock(mutex_);
    return number_;
  }

 private:
  mutable backend::Mutex mutex_;
  std::optional<Result<std::uint64_t>> number_ SWAPMQ_GUARDED_BY(mutex_);
};

SwitchOptions merged(SwitchOptions options, const ControlRequest& request) {
  options.dry_run = request.dry_run;
  if (request.allow_capability_loss) options.allow_capability_loss = true;
  if (request.policy) options.policy = *request.policy;
  if (request.order) options.order = *request.order;
  if (request.hold_publishes) options.hold_publishes = true;
  return options;
}

} // namespace

/// One request on its way: first it is asked for, by the worker where that may take long, then, if
/// that is wanted, the switch is followed until it has ended.
class ControlDesk::Task final : public Errand {
 public:
  Task(ControlDesk& desk, ControlRequest request, Clock::time_point now)
      : desk_(desk), request_(std::move(request)), deadline_(now + request_.timeout) {
    ask();
  }

  std::string go_on(Clock::time_point now, bool may_skip) override;
  [[nodiscard]] bool over() const override { return stage_ == Stage::over; }

 private:
  enum class Stage { asking, reloading, following, over };

  void ask();
  void follow(std::uint64_t number) {
    number_ = number;
    stage_ = Stage::following;
  }
  void follow_or_refuse(const Result<std::uint64_t>& number);
  std::string end(const Error& why = {}, bool under_way = false);
  std::string asked(Clock::time_point now);
  std::string reloaded(Clock::time_point now);
  std::string followed(Clock::time_point now, bool may_skip);
  [[nodiscard]] Error outcome(const SwitchStatus& status) const;
  std::string progress();

  ControlDesk& desk_;
  const ControlRequest request_;
  const Clock::time_point deadline_;
  Stage stage_ = Stage::asking;
  SwitchOptions options_; ///< of a switch
  Error refused_;         ///< at once
  std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
  std::uint64_t reload_ = 0; ///< the number to await
  std::uint64_t number_ = 0; ///< of the switch; 0: whichever is the last
  std::optional<Reloaded> reloaded_;
  Clock::time_point next_progress_{};
};

void ControlDesk::Task::ask() {
  MessageQueue& queue = desk_.queue_;
  switch (request_.what) {
    case Do::status:
      return follow(0);
    case Do::change: {
      options_ = merged(desk_.queue_.switch_options(), request_);
      const auto job = [&queue, asked = asked_, type = request_.type, options = options_] {
        asked->set(queue.switch_to(type, options));
      };
      if (!desk_.worker_.post(job)) refused_ = Error(Errc::conflict, "too much is waiting here");
      return;
    }
    case Do::cancel:
      refused_ = queue.cancel_switch();
      return follow(0);
    case Do::reload:
      reload_ = desk_.reloader_.ask("command");
      stage_ = Stage::reloading;
      return;
    case Do::roll_back:
      return follow_or_refuse(queue.roll_back());
    case Do::forget:
      refused_ = queue.forget(request_.backend, request_.give_up);
      return follow(0);
  }
}

void ControlDesk::Task::follow_or_refuse(const Result<std::uint64_t>& number) {
  if (number) return follow(*number);
  refused_ = number.error();
}

std::string ControlDesk::Task::go_on(Clock::time_point now, bool may_skip) {
  if (refused_) return end(refused_);
  switch (stage_) {
    case Stage::asking:
      return asked(now);
    case Stage::reloading:
      return reloaded(now);
    case Stage::following:
      return followed(now, may_skip);
    case Stage::over:
      break;
  }
  return {};
}

std::string ControlDesk::Task::asked(Clock::time_point now) {
  if (const auto number = asked_->get()) {
    follow_or_refuse(*number);
    return refused_ ? end(refused_) : std::string();
  }
  if (now < deadline_) return {};
  return end(Error(Errc::timeout, "nothing was heard of the switch within " +
                                      format_elapsed(request_.timeout) + "; it may come yet"),
             true);
}

std::string ControlDesk::Task::reloaded(Clock::time_point now) {
  // That one, not a later one: it is the one that may have begun a switch.
  const std::vector<Reloaded> ended = desk_.reloader_.after(reload_ - 1);
  if (ended.empty()) {
    if (now < deadline_) return {};
    return end(Error(Errc::timeout, "the configuration is still being read after " +
                                        format_elapsed(request_.timeout)),
               true);
  }
  reloaded_ = ended.front();
  if (reloaded_->error) return end(reloaded_->error);
  if (reloaded_->result.switch_number == 0) return end();
  follow(reloaded_->result.switch_number);
  return {};
}

std::string ControlDesk::Task::followed(Clock::time_point now, bool may_skip) {
  // A dry run is nothing but its end.
  if (!request_.wait && !request_.dry_run) return end();
  const SwitchStatus status = desk_.queue_.switch_status();
  if (status.number > number_ && number_ > 0) {
    return end(Error(Errc::conflict, "another switch, number " + std::to_string(status.number) +
                                         ", has followed on number " + std::to_string(number_)));
  }
  if (!under_way(status.phase)) return end(outcome(status));
  if (now >= deadline_) {
    return end(Error(Errc::timeout, "the switch is still under way (" +
                                        std::string(to_string(status.phase)) + "), and goes on"),
               true);
  }
  if (may_skip || now < next_progress_) return {};
  next_progress_ = now + progress_period;
  return progress();
}

/// What the end of a switch means to whoever asked for it.
Error ControlDesk::Task::outcome(const SwitchStatus& status) const {
  if (status.error && status.phase != SwitchPhase::retired) return status.error;
  const bool would_lose = std::any_of(status.changes.begin(), status.changes.end(),
                                      [](const CapabilityChange& change) { return change.lost; });
  if (options_.dry_run && would_lose && !options_.allow_capability_loss) {
    return {Errc::not_supported, "it would be refused, since " + name_of(status.to) +
                                     " can do less than " + name_of(status.from) +
                                     "; --allow-capability-loss switches all the same"};
  }
  const bool wanted_so = request_.what == Do::cancel || request_.what == Do::status;
  if (status.phase == SwitchPhase::cancelled && !wanted_so) {
    return {Errc::conflict, "the switch was cancelled; all is as it was"};
  }
  return {};
}

std::string ControlDesk::Task::progress() {
  JsonWriter json;
  json.begin_object().member("event", "progress").key("status");
  write_status(json, desk_.facts_, desk_.status());
  return json.end_object().take();
}

std::string ControlDesk::Task::end(const Error& why, bool under_way) {
  stage_ = Stage::over;
  JsonWriter json;
  json.begin_object().member("event", "end").member("ok", !why);
  if (number_ > 0) json.member("number", number_);
  if (under_way) json.member("under_way", true);
  if (why) {
    json.key("error");
    write_error(json, why);
  }
  if (reloaded_) {
    json.key("reload");
    write_reloaded(json, *reloaded_);
  }
  json.key("status");
  write_status(json, desk_.facts_, desk_.status());
  return json.end_object().take();
}

std::unique_ptr<Errand> ControlDesk::begin(std::string_view line, Clock::time_point now) {
  Result<ControlRequest> request = control_request_of(line);
  if (!request) return std::make_unique<Refusal>(request.error());
  return std::make_unique<Task>(*this, std::move(*request), now);
}

HostStatus ControlDesk::status() const {
  return {queue_.switch_status(), reloader_.last(), reloader_.busy(), ending_};
}

} // namespace swapmq::host

// SPDX-License-Identifier: MIT
#include "daemon/status_report.h"

#include <time.h>
#include <unistd.h>

#include <array>

namespace swapmq::host {
namespace {

void write_names(JsonWriter& to, const char* name, const std::vector<std::string>& names) {
  to.key(name).begin_array();
  for (const std::string& one : names) to.string(one);
  to.end_array();
}

void write_changes(JsonWriter& to, const std::vector<CapabilityChange>& changes) {
  to.key("capability_changes").begin_array();
  for (const CapabilityChange& change : changes) {
    to.begin_object()
        .member("name", change.name)
        .member("before", change.before)
        .member("after", change.after)
        .member("lost", change.lost)
        .end_object();
  }
  to.end_array();
}

void write_counts(JsonWriter& to, const char* name,
                  const std::map<std::string, std::uint64_t>& counts) {
  to.key(name).begin_object();
  for (const auto& [queue, count] : counts) to.member(queue, count);
  to.end_object();
}

void write_backend(JsonWriter& to, const BackendStatus& backend) {
  to.begin_object()
      .member("key", backend.key)
      .member("name", backend.name)
      .member("active", backend.active)
      .member("owed", backend.owed)
      .member("watched", backend.watched)
      .member("missing", backend.missing)
      .member("in_flight", backend.in_flight)
      .member("ready", backend.ready)
      .member("unacked", backend.unacked)
      .member("delayed", backend.delayed)
      .member("moved", backend.moved);
  write_counts(to, "by_queue", backend.by_queue);
  write_counts(to, "left", backend.left);
  if (backend.error) {
    to.key("error");
    write_error(to, backend.error);
  }
  to.end_object();
}

void write_switch(JsonWriter& to, const SwitchStatus& status) {
  to.begin_object()
      .member("number", status.number)
      .member("phase", to_string(status.phase))
      .member("under_way", under_way(status.phase))
      .member("from", status.from)
      .member("to", status.to)
      .member("elapsed_ms", static_cast<std::uint64_t>(status.elapsed.count()))
      .member("crossed", status.crossed)
      .member("configured", status.configured)
      .member("config_refused", status.config_refused);
  if (status.error) {
    to.key("error");
    write_error(to, status.error);
  }
  write_changes(to, status.changes);
  to.end_object();
}

} // namespace

void write_error(JsonWriter& to, const Error& error) {
  to.begin_object()
      .member("code", to_string(error.code()))
      .member("message", error.message())
      .end_object();
}

void write_reloaded(JsonWriter& to, const Reloaded& reloaded) {
  to.begin_object()
      .member("number", reloaded.number)
      .member("asked_by", reloaded.why)
      .member("at", utc(reloaded.when))
      .member("ok", !reloaded.error);
  if (reloaded.error) {
    to.key("error");
    write_error(to, reloaded.error);
  }
  write_names(to, "live", reloaded.result.live);
  write_names(to, "at_restart", reloaded.result.at_restart);
  to.member("switch", reloaded.result.switch_number).end_object();
}

void write_status(JsonWriter& to, const HostFacts& facts, const HostStatus& status) {
  const auto uptime = std::chrono::steady_clock::now() - facts.began;
  to.begin_object()
      .member("pid", static_cast<std::uint64_t>(::getpid()))
      .member("command", facts.command)
      .member("version", version())
      .member("config", facts.config)
      .member("state_dir", facts.state_dir)
      .member("uptime_seconds", std::chrono::duration<double>(uptime).count())
      .member("ending", status.ending)
      .member("reloading", status.reloading);
  if (status.reloaded.number > 0) {
    to.key("reload");
    write_reloaded(to, status.reloaded);
  }
  to.key("switch");
  write_switch(to, status.switching);
  to.key("backends").begin_array();
  for (const BackendStatus& backend : status.switching.backends) write_backend(to, backend);
  to.end_array().end_object();
}

std::string refusal_line(const Error& why) {
  JsonWriter json;
  json.begin_object().member("event", "end").member("ok", false).key("error");
  write_error(json, why);
  return json.end_object().take();
}

std::string utc(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

bool under_way(SwitchPhase phase) {
  return phase == SwitchPhase::prepare || phase == SwitchPhase::cut_over ||
         phase == SwitchPhase::drain;
}

std::string name_of(const std::string& key) { return key.substr(0, key.rfind('-')); }

} // namespace swapmq::host

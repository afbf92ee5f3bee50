// SPDX-License-Identifier: MIT
//
// The command line of what concerns hosts: run, and what is asked of one that runs.
#include <algorithm>
#include <array>

#include "command_line_parts.h"
#include "help_text.h"

namespace swapmq::host {
namespace {

using CLI::App;
using Do = ControlRequest::Do;

constexpr std::array<std::string_view, 5> control_commands{"status", "switch", "reload", "rollback",
                                                           "forget"};

/// A word of the library's.
template <class Enum>
void add_word(App& app, Parts& parts, const std::string& name, std::optional<Enum>& target,
              const std::vector<Enum>& all, const std::string& shown,
              const std::string& description) {
  const auto parse = [all](std::string_view text) -> std::optional<std::optional<Enum>> {
    for (const Enum one : all) {
      if (to_string(one) == text) return one;
    }
    return std::nullopt;
  };
  std::string expected;
  std::vector<std::string> choices;
  for (const Enum one : all) {
    choices.emplace_back(to_string(one));
    const char* const between = expected.empty() ? "" : one == all.back() ? " or " : ", ";
    expected.append(between).append(to_string(one));
  }
  CLI::Option* option =
      add_parsed<std::optional<Enum>>(app, name, target, parse, expected, shown, description);
  parts.choices[option] = std::move(choices);
}

App& add_control(App& root, Parts& parts, const char* name, Do what, const char* description,
                 const char* footer) {
  ControlCommand& to = parts.control;
  App& app = *add_command(root, parts, name, description, footer);
  app.parse_complete_callback([&to, what] { to.request.what = what; });
  add_text(app, "--state-dir", to.state_dir, "FOLDER",
           "The host's folder (default: the state_dir of\nthe configuration)");
  return app;
}

void add_waiting(App& app, ControlRequest& request) {
  app.add_flag("--wait", request.wait, "Until the switch has ended");
  add_wait(app, "--timeout", request.timeout,
           "For the answer, with --wait for the\nswitch's end (default: 30s)");
}

void add_switch(App& root, Parts& parts) {
  ControlRequest& request = parts.control.request;
  App& app = add_control(root, parts, "switch", Do::change, help::change, help::change_footer);
  // Not required: --cancel needs none.
  app.add_option("TYPE", request.type, "The backend to switch to, as its section is named")
      ->option_text(" ");
  app.add_flag("--dry-run", request.dry_run,
               "Only open it, compare it, and tell what\nwould change");
  add_word<BacklogPolicy>(app, parts, "--policy", request.policy,
                          {BacklogPolicy::drain, BacklogPolicy::transfer, BacklogPolicy::leave},
                          "WORD",
                          "What becomes of the messages that lie on the\nbackend that is left: "
                          "drain, transfer or leave");
  add_word<SwitchOrder>(app, parts, "--order", request.order,
                        {SwitchOrder::relaxed, SwitchOrder::strict}, "WORD",
                        "relaxed, or strict: what is published from now\non is consumed "
                        "after what lies there");
  app.add_flag("--hold-publishes", request.hold_publishes,
               "In strict order: publishes to queues that the\nhost does not consume wait "
               "until what lies there\nis gone; where others consume them");
  app.add_flag("--allow-capability-loss", request.allow_capability_loss,
               "Also to a backend that can do less");
  app.add_flag("--cancel", parts.cancel,
               "End the switch that is under way; what was\ncut over already is rolled back");
  add_waiting(app, request);
}

} // namespace

bool is_control_command(std::string_view name) {
  return std::find(control_commands.begin(), control_commands.end(), name) !=
         control_commands.end();
}

void add_host_commands(App& root, Parts& parts) {
  App& run = *add_command(root, parts, "run", help::run, help::run_footer);
  add_wait(run, "--timeout", parts.run.timeout, "For draining at the end (default: 30s)");

  ControlRequest& request = parts.control.request;
  add_waiting(add_control(root, parts, "status", Do::status, help::status, help::status_footer),
              request);
  add_switch(root, parts);
  add_waiting(add_control(root, parts, "reload", Do::reload, help::reload, help::reload_footer),
              request);
  add_waiting(
      add_control(root, parts, "rollback", Do::roll_back, help::rollback, help::rollback_footer),
      request);
  App& forget = add_control(root, parts, "forget", Do::forget, help::forget, help::forget_footer);
  forget.add_option("BACKEND", request.backend, "Its name, or its key as 'swapmq status' shows it")
      ->required()
      ->option_text(" ");
  forget.add_flag("--give-up", request.give_up, "Also if messages are owed; they stay there");
}

std::string finish_control_command(std::string_view name, Parts& parts) {
  ControlRequest& request = parts.control.request;
  if (name != "switch") return {};
  if (!parts.cancel) return request.type.empty() ? "TYPE is required" : "";
  request.what = Do::cancel;
  const bool more = !request.type.empty() || request.dry_run || request.policy || request.order ||
                    request.hold_publishes || request.allow_capability_loss;
  return more ? "--cancel goes with --wait and --timeout alone" : "";
}

} // namespace swapmq::host

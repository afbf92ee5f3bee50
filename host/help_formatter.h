// SPDX-License-Identifier: MIT
//
// How --help looks. Included where CLI11 is, as command_line_parts.h tells.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace swapmq::host {

inline constexpr const char* common_group = "Common options";
/// Marks an argument that may be repeated.
inline constexpr const char* several = "...";

/// Descriptions have a first line for the list of commands and may go on from there; what is common
/// to all commands comes last.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(32); }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string help = app->get_description() + "\n\n" + make_usage(app, std::move(name));
    help += make_options(*app, "Arguments",
                         [](const CLI::Option* option) { return option->get_positional(); });
    help += make_subcommands(app, mode);
    std::vector<std::string> groups = app->get_groups();
    std::stable_partition(groups.begin(), groups.end(),
                          [](const std::string& group) { return group != common_group; });
    for (const std::string& group : groups) {
      help += make_options(*app, group, [&](const CLI::Option* option) {
        return !option->get_positional() && option->get_group() == group;
      });
    }
    const std::string footer = app->get_footer();
    return footer.empty() ? help : help + "\n" + footer + "\n";
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = "Usage: " + name;
    if (!app->get_subcommands({}).empty()) return usage + " COMMAND [OPTION]...\n";
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional()) continue;
      const std::string shown =
          option->get_name(true, false) + (option->get_option_text() == several ? "..." : "");
      usage += option->get_required() ? " " + shown : " [" + shown + "]";
    }
    return usage + " [OPTION]...\n";
  }

  std::string make_subcommand(const CLI::App* app) const override {
    const std::string description = app->get_description();
    std::string line = "  " + app->get_name();
    line.resize(std::max<std::size_t>(line.size() + 1, 12), ' ');
    return line + description.substr(0, description.find('\n')) + "\n";
  }

  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::string name = CLI::Formatter::make_option_name(option, is_positional);
    const std::size_t comma = name.find(',');
    return comma == std::string::npos ? name
                                      : name.substr(0, comma) + ", " + name.substr(comma + 1);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string& text = option->get_option_text();
    return text.empty() || option->get_positional() ? std::string() : " " + text;
  }

 private:
  template <class Wanted>
  std::string make_options(const CLI::App& app, const std::string& heading,
                           const Wanted& wanted) const {
    const auto options = app.get_options(wanted);
    if (options.empty()) return {};
    std::string text = "\n" + heading + ":\n";
    for (const CLI::Option* option : options) {
      text += make_option(option, option->get_positional());
    }
    return text;
  }
};

} // namespace swapmq::host

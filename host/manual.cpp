// SPDX-License-Identifier: MIT
#include "manual.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "command_line_parts.h"
#include "help_text.h"

namespace swapmq::host {
namespace {

/// Text that means itself: to roff a backslash escapes, a hyphen may become a longer dash, and a
/// dot or an apostrophe at the beginning of a line makes it a request.
std::string plain(std::string_view text) {
  std::string roff;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) roff += "\\&";
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      roff += c;
    }
    begins_line = c == '\n';
  }
  return roff;
}

std::vector<std::string> split(std::string_view text, std::string_view at) {
  std::vector<std::string> parts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + at.size());
  }
  return parts;
}

/// Lines that stand as they are: examples and tables are indented, or have columns.
bool is_laid_out(const std::string& paragraph) {
  for (const std::string& line : split(paragraph, "\n")) {
    if (line.starts_with(" ") || line.find("   ") != std::string::npos) return true;
  }
  return false;
}

std::string as_it_is(const std::string& lines) {
  return lines.empty() ? "" : ".nf\n" + plain(lines) + "\n.fi\n";
}

std::string paragraphs(const std::string& text) {
  std::string roff;
  for (const std::string& paragraph : split(text, "\n\n")) {
    if (paragraph.empty()) continue;
    if (!is_laid_out(paragraph)) {
      roff += ".PP\n" + plain(paragraph) + "\n";
      continue;
    }
    const std::size_t first = paragraph.find('\n');
    const bool has_heading =
        first != std::string::npos && !paragraph.starts_with(" ") && paragraph.find("   ") > first;
    roff += ".PP\n";
    if (has_heading) roff += plain(paragraph.substr(0, first)) + "\n.br\n";
    roff += as_it_is(has_heading ? paragraph.substr(first + 1) : paragraph);
  }
  return roff;
}

std::string name_of(const App& app) {
  const App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : name_of(*parent) + " " + app.get_name();
}

std::string option_entry(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += "\\fB" + plain("-" + name) + "\\fR";
  for (const std::string& name : option.get_lnames()) {
    names.append(names.empty() ? "" : ", ").append("\\fB" + plain("--" + name) + "\\fR");
  }
  const std::string& value = option.get_option_text();
  if (!value.empty()) names += " \\fI" + plain(value) + "\\fR";
  return ".TP\n" + names + "\n" + plain(option.get_description()) + "\n";
}

std::string options_of(const App& app, bool common) {
  std::string roff;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || (option->get_group() == common_group) != common) continue;
    roff += option_entry(*option);
  }
  return roff;
}

/// What --help shows as "Usage:".
std::string usage_of(const App& app) {
  std::string usage = "\\fB" + plain(name_of(app)) + "\\fR";
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const bool more = option->get_option_text() == several;
    const std::string name =
        "\\fI" + plain(option->get_name(true, false)) + "\\fR" + (more ? "..." : "");
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  return usage + " [\\fIOPTION\\fR]...";
}

std::string commands_of(const App& app) {
  std::string roff;
  for (const App* command : app.get_subcommands({})) {
    if (!command->get_subcommands({}).empty()) { // their list says no more than they do
      roff += commands_of(*command);
      continue;
    }
    roff += ".SS " + plain(name_of(*command)) + "\n" + usage_of(*command) + "\n" +
            paragraphs(command->get_description()) + options_of(*command, false) +
            paragraphs(command->get_footer());
  }
  return roff;
}

/// Of the program's footer: each begins with a line that is its heading, "Exit codes:".
std::string sections_of(const std::string& text) {
  std::string roff;
  for (const std::string& paragraph : split(text, "\n\n")) {
    const std::size_t first = paragraph.find(":\n");
    if (first == std::string::npos) continue; // how to get help of the program itself
    std::string heading = paragraph.substr(0, first);
    std::ranges::transform(heading, heading.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (heading == "EXIT CODES") heading = "EXIT STATUS"; // its name in man-pages(7)
    roff += ".SH " + heading + "\n" + as_it_is(paragraph.substr(first + 2));
  }
  return roff;
}

} // namespace

std::string manual_page(const std::string& date) {
  Parts parts;
  App root(help::program, "swapmq");
  add_all_commands(root, parts);
  const std::string description = help::program;
  const std::size_t title = description.find('\n');
  std::string about = description.substr(std::string_view("swapmq: ").size(),
                                         title - std::string_view("swapmq: ").size());
  if (about.ends_with(".")) about.pop_back();
  return ".\\\" Made by the build from the definitions of the commands.\n"
         ".TH SWAPMQ 1 \"" +
         date +
         "\" \"swapmq " SWAPMQ_PROGRAM_VERSION
         "\" \"User Commands\"\n"
         ".SH NAME\nswapmq \\- " +
         plain(about) +
         "\n.SH SYNOPSIS\n\\fBswapmq\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
         ".SH DESCRIPTION\n" +
         plain(description.substr(description.find_first_not_of('\n', title))) +
         "\n"
         ".SH COMMANDS\n" +
         commands_of(root) + ".SH COMMON OPTIONS\n" + options_of(root, true) +
         sections_of(help::program_footer);
}

} // namespace swapmq::host

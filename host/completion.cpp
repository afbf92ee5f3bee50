// SPDX-License-Identifier: MIT
#include "completion.h"

#include <algorithm>
#include <map>

#include "command_line_parts.h"

namespace swapmq::host {
namespace {

using Kind = Completion::Kind;

/// What an argument's name, or the word shown for an option's value, means.
const std::map<std::string, Kind>& kinds() {
  static const std::map<std::string, Kind> all{
      {"FILE", Kind::files},     {"FOLDER", Kind::folders}, {"QUEUE", Kind::queues},
      {"DEAD", Kind::queues},    {"TYPE", Kind::sections},  {"BACKEND", Kind::backends},
      {"PLUGIN", Kind::plugins}, {"KEY", Kind::config_keys}};
  return all;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// Follows the words through the definitions of the commands.
class Walk {
 public:
  Walk(const App& root, const Parts& parts) : at_(&root), parts_(parts) {}

  void pass(const std::string& word) {
    if (awaits_ != nullptr) {
      take(*std::exchange(awaits_, nullptr), word);
    } else if (names_only_ || word == "-" || !word.starts_with("-")) {
      pass_name(word);
    } else if (word == "--") {
      names_only_ = true;
    } else {
      pass_option(word);
    }
  }

  Completion at_end(const std::string& word) {
    Completion found;
    found.typed = word;
    const std::size_t equals = word.find('=');
    if (awaits_ != nullptr) {
      offer_value(*awaits_, found);
    } else if (!names_only_ && word.starts_with("--") && equals != std::string::npos) {
      found.before = word.substr(0, equals + 1);
      found.typed = word.substr(equals + 1);
      const CLI::Option* option = at_->get_option_no_throw(word.substr(0, equals));
      if (option != nullptr && takes_value(*option)) offer_value(*option, found);
    } else if (!names_only_ && word.starts_with("-")) {
      offer_options(found);
    } else {
      offer_names(found);
    }
    found.common = common_;
    found.state_dir = state_dir_;
    return found;
  }

 private:
  void pass_name(const std::string& word) {
    const auto commands = at_->get_subcommands({});
    const auto is_it = [&](const App* command) { return command->get_name() == word; };
    const auto named = std::ranges::find_if(commands, is_it);
    if (!names_only_ && named != commands.end()) {
      at_ = *named;
    } else {
      ++names_;
    }
  }

  void pass_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const bool is_long = word.starts_with("--");
    const CLI::Option* option =
        at_->get_option_no_throw(is_long ? word.substr(0, equals) : word.substr(0, 2));
    if (option == nullptr || !takes_value(*option)) return;
    if (is_long && equals != std::string::npos) {
      take(*option, word.substr(equals + 1));
    } else if (!is_long && word.size() > 2) {
      take(*option, word.substr(2));
    } else {
      awaits_ = option;
    }
  }

  /// What later candidates depend on.
  void take(const CLI::Option& option, const std::string& value) {
    if (option.check_lname("config")) common_.config = value;
    if (option.check_lname("state-dir")) state_dir_ = value;
    const std::size_t equals = value.find('=');
    if (option.check_lname("set") && equals != std::string::npos) {
      common_.overrides.push_back({value.substr(0, equals), value.substr(equals + 1)});
    }
  }

  void offer_value(const CLI::Option& option, Completion& to) const {
    const auto choices = parts_.choices.find(&option);
    if (choices != parts_.choices.end()) {
      for (const std::string& choice : choices->second) to.words.push_back({choice, {}});
      return;
    }
    const auto kind = kinds().find(option.get_positional() ? option.get_name(true, false)
                                                           : option.get_option_text());
    if (kind != kinds().end() && !option.check_lname("set")) to.kind = kind->second;
  }

  void offer_options(Completion& to) const {
    for (const CLI::Option* option : at_->get_options()) {
      const std::string description = one_line(option->get_description());
      for (const std::string& name : option->get_lnames()) {
        to.words.push_back({"--" + name, description});
      }
    }
  }

  void offer_names(Completion& to) const {
    for (const App* command : at_->get_subcommands({})) {
      to.words.push_back({command->get_name(), first_line(command->get_description())});
    }
    if (!to.words.empty()) return;
    const auto arguments =
        at_->get_options([](const CLI::Option* option) { return option->get_positional(); });
    if (arguments.empty()) return;
    const CLI::Option* last = arguments.back();
    if (names_ < arguments.size()) {
      offer_value(*arguments[names_], to);
    } else if (last->get_option_text() == several) {
      offer_value(*last, to);
    }
  }

  const App* at_;
  const Parts& parts_;
  const CLI::Option* awaits_ = nullptr; ///< the next word is its value
  bool names_only_ = false;             ///< after "--"
  std::size_t names_ = 0;               ///< arguments so far
  CommonOptions common_;
  std::string state_dir_;
};

} // namespace

Completion complete(const std::vector<std::string>& words) {
  Parts parts;
  App root("", "swapmq");
  add_all_commands(root, parts);
  if (words.empty()) return {};
  Walk walk(root, parts);
  std::size_t first = 0;
  if (words.size() > 1 && words.front() == "help") first = 1; // 'swapmq help publish'
  for (std::size_t i = first; i + 1 < words.size(); ++i) walk.pass(words[i]);
  return walk.at_end(words.back());
}

} // namespace swapmq::host

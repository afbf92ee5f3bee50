// SPDX-License-Identifier: MIT
//
// What the shells' completion scripts ask: candidates for the word that is being typed. The first
// line says what they are, ":words", ":files" or ":folders" (of which the shell knows more than
// we); then a candidate a line, with its description after a tab. Errors are silent: who presses
// Tab wants no text in the middle of a line.
#include <rapidjson/document.h>

#include <filesystem>
#include <set>
#include <string>

#include "commands/commands.h"
#include "completion.h"
#include "config_keys.h"
#include "daemon/control_client.h"
#include "daemon/status_text.h"
#include "output.h"
#include "program.h"

namespace swapmq::host {
namespace {

using Kind = Completion::Kind;

constexpr milliseconds patience{1'000}; // for a broker or a host, while a person waits

/// Names for a purpose, each once.
class Candidates {
 public:
  explicit Candidates(const Completion& wanted) : wanted_(wanted) {}

  void add(const std::string& text, const std::string& description = {}) {
    // One a line; a name with a line's end in it cannot be typed anyway.
    if (text.empty() || text.find_first_of("\n\t") != std::string::npos) return;
    if (!text.starts_with(wanted_.typed) || !known_.insert(text).second) return;
    lines_ += wanted_.before + text + (description.empty() ? "" : "\t" + description) + "\n";
  }
  [[nodiscard]] const std::string& lines() const { return lines_; }

 private:
  const Completion& wanted_;
  std::set<std::string> known_;
  std::string lines_;
};

/// What the configuration says, as JSON; null if it cannot be used.
rapidjson::Document config_of(const CommonOptions& common) {
  rapidjson::Document config;
  const Result<std::string> text = effective_config(common.config, common.overrides);
  if (text) config.Parse(text->c_str(), text->size());
  if (!text || config.HasParseError()) config.SetNull();
  return config;
}

std::vector<std::string> keys_of(const rapidjson::Document& config, const char* section) {
  std::vector<std::string> keys;
  if (!config.IsObject() || !config.HasMember(section) || !config[section].IsObject()) return keys;
  for (const auto& member : config[section].GetObject()) {
    keys.emplace_back(member.name.GetString(), member.name.GetStringLength());
  }
  return keys;
}

/// The default makes its file when it is opened; to look for names is no reason to.
bool may_be_opened(const CommonOptions& common) {
  std::error_code error;
  return !common.config.empty() || std::filesystem::exists("swapmq-data", error);
}

void add_queues(const CommonOptions& common, Candidates& to) {
  for (const std::string& name : keys_of(config_of(common), "queues")) to.add(name);
  if (may_be_opened(common)) {
    Result<MessageQueue> queue = open_message_queue(common);
    if (queue) {
      const auto names = queue->list_queues(patience);
      if (names) {
        for (const std::string& name : *names) to.add(name);
      }
      (void)queue->close(patience);
    }
  }
  for (const char* role : {"@task", "@status", "@heartbeat", "@control"}) to.add(role, "by role");
}

/// Without loading any.
std::set<std::string> plugin_names(const CommonOptions& common) {
  std::set<std::string> names;
  const auto folders = folders_searched_first(common, {});
  if (!folders) return names;
  for (const std::string& folder : plugin_search_path(*folders)) {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
      if (file.path().extension() == ".so") names.insert(file.path().stem().string());
    }
  }
  return names;
}

void add_sections(const CommonOptions& common, Candidates& to) {
  const std::set<std::string> plugins = plugin_names(common);
  for (const std::string& key : keys_of(config_of(common), "message_queue")) {
    if (plugins.contains(key)) to.add(key);
  }
}

void add_backends(const Completion& wanted, Candidates& to) {
  std::string folder = wanted.state_dir;
  if (folder.empty()) {
    const auto config = outline_config(wanted.common.config, wanted.common.overrides);
    if (!config || config->state_dir.empty()) return;
    folder = config->state_dir;
  }
  const Result<ControlAnswer> answer = ask_status(folder, patience);
  if (!answer) return;
  for (const std::string& key : left_backends(answer->status)) to.add(key);
}

void add_config_keys(const CommonOptions& common, Candidates& to) {
  const auto folders = folders_searched_first(common, {});
  if (!folders) return;
  for (const ConfigKey& key : config_keys(plugins_found(*folders))) {
    to.add(key.path, key.description);
  }
}

void add_all(const Completion& wanted, Candidates& to) {
  for (const Completion::Word& word : wanted.words) to.add(word.text, word.description);
  switch (wanted.kind) {
    case Kind::words:
    case Kind::files:
    case Kind::folders:
      break;
    case Kind::queues:
      add_queues(wanted.common, to);
      break;
    case Kind::sections:
      add_sections(wanted.common, to);
      break;
    case Kind::backends:
      add_backends(wanted, to);
      break;
    case Kind::plugins:
      for (const std::string& name : plugin_names(wanted.common)) to.add(name);
      break;
    case Kind::config_keys:
      add_config_keys(wanted.common, to);
      break;
  }
}

} // namespace

int run(const CommonOptions& common, const CompleteCommand& command) {
  Completion wanted = complete(command.words);
  if (wanted.common.config.empty()) wanted.common.config = common.config;
  wanted.common.quiet = true;
  const bool path = wanted.kind == Kind::plugins && wanted.typed.find('/') != std::string::npos;
  Candidates candidates(wanted);
  if (!path) add_all(wanted, candidates);
  std::string kind = ":words\n";
  if (wanted.kind == Kind::files || path) kind = ":files\n";
  if (wanted.kind == Kind::folders) kind = ":folders\n";
  return printed(print_out(kind + candidates.lines()));
}

} // namespace swapmq::host

// SPDX-License-Identifier: MIT
#include "daemon/status_text.h"

#include <rapidjson/document.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "daemon/status_report.h"
#include "quantity.h"
#include "table.h"

namespace swapmq::host {
namespace {

/// A value that may be missing: then all that is asked of it is empty.
class Node {
 public:
  explicit Node(const rapidjson::Value* value) : value_(value) {}

  Node operator[](const char* name) const {
    if (value_ == nullptr || !value_->IsObject()) return Node(nullptr);
    const auto found = value_->FindMember(name);
    return Node(found == value_->MemberEnd() ? nullptr : &found->value);
  }
  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] std::string text() const {
    return value_ != nullptr && value_->IsString() ? value_->GetString() : std::string();
  }
  [[nodiscard]] std::uint64_t number() const {
    return value_ != nullptr && value_->IsUint64() ? value_->GetUint64() : 0;
  }
  [[nodiscard]] double real() const {
    return value_ != nullptr && value_->IsNumber() ? value_->GetDouble() : 0;
  }
  [[nodiscard]] bool flag() const {
    return value_ != nullptr && value_->IsBool() && value_->GetBool();
  }
  [[nodiscard]] std::vector<Node> elements() const {
    std::vector<Node> all;
    if (value_ == nullptr || !value_->IsArray()) return all;
    for (const rapidjson::Value& one : value_->GetArray()) all.emplace_back(&one);
    return all;
  }
  /// "A, B" of an array of texts.
  [[nodiscard]] std::string joined() const {
    std::string all;
    for (const Node& one : elements()) all += (all.empty() ? "" : ", ") + one.text();
    return all;
  }
  /// "3 in A, 1 in B" of an object of numbers.
  [[nodiscard]] std::string counts() const {
    std::string all;
    if (value_ == nullptr || !value_->IsObject()) return all;
    for (const auto& one : value_->GetObject()) {
      all += (all.empty() ? "" : ", ") + std::to_string(Node(&one.value).number()) + " in " +
             one.name.GetString();
    }
    return all;
  }

 private:
  const rapidjson::Value* value_;
};

class Parsed {
 public:
  explicit Parsed(const std::string& json) {
    document_.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  }
  [[nodiscard]] Node root() const { return Node(document_.HasParseError() ? nullptr : &document_); }

 private:
  rapidjson::Document document_;
};

std::string elapsed(const Node& changing) {
  return format_elapsed(milliseconds(changing["elapsed_ms"].number()));
}

std::string from_to(const Node& changing) {
  return "from " + name_of(changing["from"].text()) + " to " + name_of(changing["to"].text());
}

/// Of a config there may be several, a line each.
std::string error_after_colon(const Node& of, const char* between = "\n         ") {
  const std::string message = of["error"]["message"].text();
  return message.empty() ? std::string() : ": " + printable_lines(message, between);
}

std::string one_line_of_switch(const Node& changing) {
  std::string line =
      "switch " + std::to_string(changing["number"].number()) + " " + from_to(changing) + ": ";
  const bool only_tried = changing["phase"].text() == "refused" && !changing["error"];
  if (only_tried) return line + "a dry run, nothing has changed";
  line += changing["phase"].text() + ", after " + elapsed(changing);
  if (changing["crossed"].flag()) line += "; others publish to what was left (crossed)";
  return line + error_after_colon(changing);
}

std::string state_of(const Node& backend) {
  if (backend["active"].flag()) return "active";
  if (backend["missing"].flag()) return "missing";
  if (backend["owed"].flag()) return "owed";
  return backend["watched"].flag() ? "watched" : "left";
}

std::string table_of_backends(const Node& status) {
  std::vector<std::vector<std::string>> rows{
      {"BACKEND", "STATE", "READY", "UNACKED", "DELAYED", "IN FLIGHT", "MOVED"}};
  std::string notes;
  for (const Node& one : status["backends"].elements()) {
    const bool counted = one["owed"].flag(); // others are not looked at
    const auto figure = [&](const char* name) {
      return counted ? std::to_string(one[name].number()) : std::string("-");
    };
    const std::string key = one["key"].text();
    rows.push_back({key, state_of(one), figure("ready"), figure("unacked"), figure("delayed"),
                    std::to_string(one["in_flight"].number()),
                    std::to_string(one["moved"].number())});
    if (const std::string owed = one["by_queue"].counts(); !owed.empty()) {
      notes += printable(key) + ": lie there: " + printable(owed) + "\n";
    }
    if (const std::string left = one["left"].counts(); !left.empty()) {
      notes += printable(key) + ": stay there: " + printable(left) + "\n";
    }
    if (one["error"]) notes += printable(key) + error_after_colon(one) + "\n";
  }
  return format_table_with_heading(rows) + notes;
}

std::string text_of_reload(const Node& reload) {
  if (reload["error"]) return "not followed" + error_after_colon(reload);
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (const auto number = reload["switch"].number(); number > 0) {
    add("switch " + std::to_string(number));
  }
  const std::string live = reload["live"].joined(), later = reload["at_restart"].joined();
  if (!live.empty()) add("in force: " + live);
  if (!later.empty()) add("in force after a restart: " + later);
  return text.empty() ? "nothing is different" : printable(text);
}

std::string text_of_config(const Node& status) {
  std::string text = status["config"].text();
  if (text.empty()) text = "the embedded default";
  text = printable(text);
  if (const Node reload = status["reload"]) {
    text += ", read again " + reload["at"].text() + " (" + printable(reload["asked_by"].text()) +
            "): " + text_of_reload(reload);
  }
  if (status["reloading"].flag()) text += "; being read";
  if (status["switch"]["config_refused"].flag()) {
    const std::string refused = name_of(status["switch"]["configured"].text());
    text += "; it names " + refused +
            ", which was rolled back from: not followed until it names "
            "another one, or 'swapmq switch " +
            refused + "'";
  }
  return text;
}

} // namespace

std::string status_text(const std::string& status) {
  const Parsed parsed(status);
  const Node root = parsed.root();
  const std::chrono::duration<double> up(root["uptime_seconds"].real());
  std::string text = "host     swapmq " + root["command"].text() + ", process " +
                     std::to_string(root["pid"].number()) + ", for " +
                     format_elapsed(std::chrono::duration_cast<std::chrono::nanoseconds>(up)) +
                     (root["ending"].flag() ? ", ending" : "") + "\n";
  text += "config   " + text_of_config(root) + "\n";
  const Node changing = root["switch"];
  text += "switch   " +
          (changing["number"].number() == 0 ? "none so far" : one_line_of_switch(changing)) + "\n";
  return text + table_of_backends(root);
}

std::string switch_text(const std::string& status) {
  const Parsed parsed(status);
  const Node changing = parsed.root()["switch"];
  std::string text = one_line_of_switch(changing) + "\n";
  std::vector<std::vector<std::string>> rows{{"CAPABILITY", "BEFORE", "AFTER", "LOST"}};
  for (const Node& one : changing["capability_changes"].elements()) {
    rows.push_back({one["name"].text(), one["before"].text(), one["after"].text(),
                    one["lost"].flag() ? "yes" : "no"});
  }
  return rows.size() > 1 ? text + format_table_with_heading(rows) : text;
}

std::string reload_text(const std::string& reload) {
  const Parsed parsed(reload);
  return text_of_reload(parsed.root()) + "\n";
}

std::string active_backend(const std::string& status) {
  const Parsed parsed(status);
  for (const Node& one : parsed.root()["backends"].elements()) {
    if (one["active"].flag()) return one["name"].text();
  }
  return {};
}

std::vector<std::string> left_backends(const std::string& status) {
  const Parsed parsed(status);
  std::vector<std::string> keys;
  for (const Node& one : parsed.root()["backends"].elements()) {
    if (!one["active"].flag()) keys.push_back(one["key"].text());
  }
  return keys;
}

std::string progress_text(const std::string& status) {
  const Parsed parsed(status);
  const Node root = parsed.root(), changing = root["switch"];
  std::uint64_t ready = 0, unacked = 0, delayed = 0, moved = 0;
  for (const Node& one : root["backends"].elements()) {
    if (!one["owed"].flag()) continue;
    ready += one["ready"].number();
    unacked += one["unacked"].number();
    delayed += one["delayed"].number();
    moved += one["moved"].number();
  }
  return from_to(changing) + ": " + changing["phase"].text() + ", left " + std::to_string(ready) +
         " ready " + std::to_string(unacked) + " unacked " + std::to_string(delayed) +
         " delayed, moved " + std::to_string(moved) + ", " + elapsed(changing) +
         error_after_colon(changing, "; ");
}

} // namespace swapmq::host

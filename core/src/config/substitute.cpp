// SPDX-License-Identifier: MIT
#include "config/substitute.h"

#include <utility>

#include "config/redact.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

constexpr std::string_view kOpening = "${";
constexpr std::string_view kDefault = ":-";

bool is_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (name.empty() || !letter(name.front())) return false;
  for (const char c : name) {
    if (!letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

/// One string, from left to right.
class Expansion {
 public:
  Expansion(std::string_view text, const Environment& environment)
      : rest_(text), environment_(environment) {}

  /// Why it cannot be; empty if it can.
  std::string run() {
    for (;;) {
      const std::size_t at = rest_.find(kOpening);
      if (at == std::string_view::npos) break;
      const bool escaped = at > 0 && rest_[at - 1] == '$';
      text_ += rest_.substr(0, at); // with one dollar of an escape, which is the one that stays
      rest_.remove_prefix(at + kOpening.size());
      if (escaped) {
        text_ += '{';
      } else if (std::string why = variable(); !why.empty()) {
        return why;
      }
    }
    text_ += rest_;
    return {};
  }
  [[nodiscard]] bool substituted() const { return substituted_; }
  [[nodiscard]] bool secret() const { return secret_; }
  std::string take() { return std::move(text_); }

 private:
  /// Behind the opening.
  std::string variable() {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) {
      return R"("${" without its "}"; for the characters themselves write "$${")";
    }
    const std::string_view inside = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    const std::size_t colon = inside.find(kDefault);
    const std::string name(inside.substr(0, colon));
    if (!is_name(name)) {
      return quoted(name) +
             R"( between "${" and "}" is not the name of a variable; write ${NAME} or )"
             R"(${NAME:-default}, or "$${" for the characters themselves)";
    }
    const auto value = environment_.variable ? environment_.variable(name) : std::nullopt;
    if (colon != std::string_view::npos && value.value_or("").empty()) { // as a shell has it
      text_ += inside.substr(colon + kDefault.size());
    } else if (!value) {
      return "the environment has no variable " + name + "; set it, or write ${" + name +
             ":-default}";
    } else if (find_invalid_utf8(*value)) {
      return "the value of the environment's " + name + " is not UTF-8";
    } else {
      text_ += *value;
      secret_ = secret_ || is_secret_key(name);
    }
    substituted_ = true;
    return {};
  }

  std::string_view rest_;
  const Environment& environment_;
  std::string text_;
  bool substituted_ = false;
  bool secret_ = false;
};

class Substitution {
 public:
  Substitution(Document& document, const Environment& environment, Findings& out)
      : document_(document), environment_(environment), out_(out) {}

  void walk(const Node& node) {
    if (node.bad_value || node.bad_key || out_.size() >= kMostFindings) return;
    if (node.kind == Kind::string) return expand(document_.edit(node));
    for (const Node* each = node.first_child; each != nullptr; each = each->next) walk(*each);
  }

 private:
  void expand(Node& node) {
    if (node.text.find(kOpening) == std::string_view::npos) return;
    Expansion expansion(node.text, environment_);
    std::string why = expansion.run();
    std::string text = expansion.take();
    bytes_ += text.size();
    if (why.empty() && bytes_ > kMaxTextBytes) {
      why = "too large with the values of variables put in: a config has at most " +
            std::to_string(kMaxTextBytes) + " bytes";
    }
    if (!why.empty()) {
      out_.push_back(at_value(node, std::move(why)));
      node.bad_value = true;
      return;
    }
    node.substituted = node.substituted || expansion.substituted();
    node.secret = node.secret || expansion.secret();
    document_.set_text(node, std::move(text));
  }

  Document& document_;
  const Environment& environment_;
  Findings& out_;
  std::size_t bytes_ = 0;
};

/// Why it cannot be set; empty if it was.
std::string give_value(Document& document, Node& node, const std::string& value) {
  if (find_invalid_utf8(value)) return "the value is not UTF-8";
  if (value.size() > kMaxTextBytes) return "the value is too large";
  if (value.empty() || std::string_view("{[\"").find(value.front()) == std::string_view::npos) {
    document.set_text(node, value);
    node.substituted = true;
    return {};
  }
  Document json(value);
  if (json.root() == nullptr || !json.findings().empty()) {
    return "the value begins as JSON does and is none: " + json.findings().front().message;
  }
  document.graft(node, std::move(json));
  return {};
}

void set(Document& document, const Override& override, Findings& out) {
  const auto refuse = [&](std::string why) {
    out.push_back({0, {}, std::move(why), Errc::config, {}, override.origin});
  };
  Node* at = &document.edit(*document.root());
  if (override.path.size() >= kMaxDepth) return refuse("too many steps to a key");
  for (const std::string& step : override.path) {
    if (at->kind != Kind::object) {
      return refuse("what it leads to is not an object: " + quoted(pointer_of(*at)));
    }
    if (step.empty() || step.size() > kMaxKeyBytes || find_invalid_utf8(step)) {
      return refuse("it names no key");
    }
    const bool there = at->find(step) != nullptr;
    at = &document.member(*at, step);
    if (!there) at->kind = Kind::object; // unless it is the last step
    at->origin = there ? at->origin : document.keep(override.origin);
  }
  at->origin = document.keep(override.origin);
  at->substituted = at->secret = at->bad_value = false;
  if (std::string why = give_value(document, *at, override.value); !why.empty()) {
    at->bad_value = true;
    refuse(std::move(why));
  }
}

} // namespace

void substitute(Document& document, const Environment& environment, Findings& out) {
  if (document.root()->kind == Kind::object) {
    for (const Override& override : environment.overrides) set(document, override, out);
  }
  Substitution(document, environment, out).walk(*document.root());
}

} // namespace swapmq::config

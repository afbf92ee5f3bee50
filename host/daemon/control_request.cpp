// SPDX-License-Identifier: MIT
#include "daemon/control_request.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <utility>
#include <vector>

#include "json_output.h"

namespace swapmq::host {
namespace {

using rapidjson::Value;

using Do = ControlRequest::Do;
constexpr std::array<std::pair<std::string_view, Do>, 6> actions{{{"status", Do::status},
                                                                  {"switch", Do::change},
                                                                  {"cancel", Do::cancel},
                                                                  {"reload", Do::reload},
                                                                  {"rollback", Do::roll_back},
                                                                  {"forget", Do::forget}}};

constexpr milliseconds longest_timeout{std::chrono::hours(24 * 365)};

std::string_view word_of(Do action) {
  for (const auto& [word, one] : actions) {
    if (one == action) return word;
  }
  return {};
}

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

// Readers of one member's value; false: it is of another kind.
using Take = std::function<bool(const Value&)>;

bool take_action(const Value& value, Do& to) {
  if (!value.IsString()) return false;
  for (const auto& [word, one] : actions) {
    if (word != text_of(value)) continue;
    to = one;
    return true;
  }
  return false;
}

/// In the library's words.
template <class Enum>
Take word(std::optional<Enum>& to, std::initializer_list<Enum> all) {
  return [&to, all = std::vector<Enum>(all)](const Value& value) {
    if (!value.IsString()) return false;
    for (const Enum one : all) {
      if (to_string(one) == text_of(value)) to = one;
    }
    return to.has_value();
  };
}

Take text(std::string& to) {
  return [&to](const Value& value) {
    if (!value.IsString()) return false;
    to.assign(value.GetString(), value.GetStringLength());
    return true;
  };
}

Take flag(bool& to) {
  return [&to](const Value& value) {
    if (!value.IsBool()) return false;
    to = value.GetBool();
    return true;
  };
}

Take duration(milliseconds& to) {
  return [&to](const Value& value) {
    if (!value.IsUint64() || value.GetUint64() > std::uint64_t(longest_timeout.count())) {
      return false;
    }
    to = milliseconds(value.GetUint64());
    return true;
  };
}

Error wrong(const std::string& what) {
  return {Errc::invalid_argument, "the request is wrong: " + what};
}

/// What each action understands besides "do".
std::map<std::string, Take, std::less<>> members_of(ControlRequest& request) {
  std::map<std::string, Take, std::less<>> known;
  if (request.what == Do::forget) {
    known["backend"] = text(request.backend);
    known["give_up"] = flag(request.give_up);
    return known;
  }
  known["wait"] = flag(request.wait);
  known["timeout_ms"] = duration(request.timeout);
  if (request.what != Do::change) return known;
  known["type"] = text(request.type);
  known["dry_run"] = flag(request.dry_run);
  known["policy"] =
      word(request.policy, {BacklogPolicy::drain, BacklogPolicy::transfer, BacklogPolicy::leave});
  known["order"] = word(request.order, {SwitchOrder::relaxed, SwitchOrder::strict});
  known["hold_publishes"] = flag(request.hold_publishes);
  known["allow_capability_loss"] = flag(request.allow_capability_loss);
  return known;
}

} // namespace

std::string to_line(const ControlRequest& request) {
  JsonWriter json;
  json.begin_object().member("do", word_of(request.what));
  if (request.what == Do::forget) {
    json.member("backend", request.backend).member("give_up", request.give_up);
    return json.end_object().take();
  }
  if (request.what == Do::change) {
    json.member("type", request.type)
        .member("dry_run", request.dry_run)
        .member("hold_publishes", request.hold_publishes)
        .member("allow_capability_loss", request.allow_capability_loss);
    if (request.policy) json.member("policy", to_string(*request.policy));
    if (request.order) json.member("order", to_string(*request.order));
  }
  json.member("wait", request.wait)
      .member("timeout_ms",
              static_cast<std::uint64_t>(std::min(request.timeout, longest_timeout).count()));
  return json.end_object().take();
}

Result<ControlRequest> control_request_of(std::string_view line) {
  rapidjson::Document document;
  // However deep it is, it must not overflow the stack.
  document.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
  if (document.HasParseError() || !document.IsObject()) return wrong("it is no JSON object");
  ControlRequest request;
  const auto what = document.FindMember("do");
  if (what == document.MemberEnd() || !take_action(what->value, request.what)) {
    return wrong("\"do\" is none of status, switch, cancel, reload, rollback, forget");
  }
  const auto known = members_of(request);
  for (const auto& member : document.GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    if (name == "do") continue;
    const auto found = known.find(name);
    if (found == known.end()) return wrong("unknown member \"" + name + "\"");
    if (!found->second(member.value)) return wrong("bad value of \"" + name + "\"");
  }
  if (request.what == Do::change && request.type.empty()) return wrong("\"type\" is missing");
  if (request.what == Do::forget && request.backend.empty()) return wrong("\"backend\" is missing");
  return request;
}

} // namespace swapmq::host

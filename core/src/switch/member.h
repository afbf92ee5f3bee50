// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace swapmq::plugin {
class Plugin;
}

namespace swapmq::switching {

/// A backend as a switch knows it: its plugin and the address that it points at. Two Redis servers
/// are two members; a server whose password changed is the same one.
struct Member {
  std::string key;     ///< "NAME-DIGEST", the digest of the address
  std::string name;    ///< the word of the config
  std::string options; ///< its section as JSON, secrets resolved
  /// The build that the config means; null: what is found by the name.
  std::shared_ptr<const plugin::Plugin> plugin{};

  /// Whether a backend that was opened as the one is what the other one wants.
  [[nodiscard]] bool same_instance(const Member& other) const {
    const bool same_build = plugin == other.plugin || plugin == nullptr || other.plugin == nullptr;
    return same_build && key == other.key && options == other.options;
  }
};

/// What of the options says where the backend is, as a text that is equal for equal addresses: the
/// options that the schema marks with "x-swapmq-address", with their defaults; if it marks none,
/// all but the secret ones. Who logs in is no part of it.
std::string address_of(std::string_view options_json, std::string_view schema_json);

Member member_of(std::string name, std::string options_json, std::string_view schema_json);

} // namespace swapmq::switching

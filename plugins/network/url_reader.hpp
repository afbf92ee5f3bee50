// SPDX-License-Identifier: MIT
//
// The parts of a URL that do not depend on its scheme.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swapmq::network {

/// What stands between "//" and the path.
struct Authority {
  bool has_user = false;
  std::string username;
  std::string password;
  std::string host;
  uint16_t port = 0; // 0: not said
};

/// All of it throws Failure(INVALID_ARGUMENT) that names the plugin and the option and says how to
/// write it, and never quotes the URL, which may hold a password.
class UrlReader {
 public:
  /// `option`: which it is, such as "\"url\""; `usage`: how to write it.
  UrlReader(const std::string& plugin, const std::string& option, std::string usage);

  [[noreturn]] void refuse(const std::string& what) const;

  /// RFC 3986, 2.1; without a NUL byte.
  [[nodiscard]] std::string percent_decoded(std::string_view text) const;
  [[nodiscard]] uint64_t number(std::string_view text, uint64_t most, const char* what) const;
  /// user:password, into the authority.
  void user(std::string_view text, Authority& authority) const;
  /// [user:password@]host[:port]
  [[nodiscard]] Authority authority(std::string_view text) const;

 private:
  void host_and_port(std::string_view text, Authority& authority) const;

  std::string start_; // of each text
  std::string usage_;
};

} // namespace swapmq::network

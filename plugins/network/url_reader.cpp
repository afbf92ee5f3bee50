// SPDX-License-Identifier: MIT
#include "url_reader.hpp"

#include <charconv>
#include <utility>

#include "swapmq/backend.hpp"

namespace swapmq::network {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

} // namespace

UrlReader::UrlReader(const std::string& plugin, const std::string& option, std::string usage)
    : start_("options of " + plugin + ": " + option + " "), usage_(std::move(usage)) {}

void UrlReader::refuse(const std::string& what) const {
  throw backend::Failure(SWAPMQ_INVALID_ARGUMENT, start_ + what + "; write it as " + usage_);
}

std::string UrlReader::percent_decoded(std::string_view text) const {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse("has a '%' that two hexadecimal digits do not follow");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (out.find('\0') != std::string::npos) refuse("holds a NUL byte");
  return out;
}

uint64_t UrlReader::number(std::string_view text, uint64_t most, const char* what) const {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value > most) {
    refuse(std::string("has ") + what + " that is not a number up to " + std::to_string(most));
  }
  return value;
}

void UrlReader::user(std::string_view text, Authority& authority) const {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    refuse("has a user without a password");
  }
  authority.has_user = true;
  authority.username = percent_decoded(text.substr(0, colon));
  authority.password = percent_decoded(text.substr(colon + 1));
  if (authority.password.empty()) refuse("has an empty password");
}

Authority UrlReader::authority(std::string_view text) const {
  Authority authority;
  // The last one: a password may hold one that was not encoded.
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    user(text.substr(0, at), authority);
    text = text.substr(at + 1);
  }
  host_and_port(text, authority);
  return authority;
}

void UrlReader::host_and_port(std::string_view text, Authority& authority) const {
  std::string_view host = text;
  std::string_view port;
  if (!text.empty() && text.front() == '[') { // an IPv6 address
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) refuse("has a '[' without a ']'");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') refuse("has something behind the ']' of its host");
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (host.empty()) refuse("has no host");
  authority.host = percent_decoded(host);
  if (port.empty()) return;
  authority.port = static_cast<uint16_t>(number(port.substr(1), UINT16_MAX, "a port"));
  if (authority.port == 0) refuse("has the port 0");
}

} // namespace swapmq::network

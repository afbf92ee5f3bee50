// SPDX-License-Identifier: MIT
#include "url.hpp"

#include <charconv>
#include <string>

#include "swapmq/backend.hpp"

namespace swapmq::redis {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw backend::Failure(
      SWAPMQ_INVALID_ARGUMENT,
      "options of redis_stream: \"url\" " + what +
          R"(; write it as "redis://[user[:password]@]host[:port][/database]", "rediss://..." )"
          R"(for TLS, or "unix:///path/to/socket[?db=N]")");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986, 2.1.
std::string percent_decoded(std::string_view text) {
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

template <class Number>
Number number(std::string_view text, Number most, const char* what) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value > most) {
    refuse(std::string("has ") + what + " that is not a number up to " + std::to_string(most));
  }
  return static_cast<Number>(value);
}

constexpr uint32_t kMostDatabase = 1000000;

uint32_t database_of(std::string_view text) { return number(text, kMostDatabase, "a database"); }

void apply_user(std::string_view user, Options& options) {
  const std::size_t colon = user.find(':');
  if (colon == std::string_view::npos) {
    refuse("has a user without a password: write it as \"user:password@\" or \":password@\"");
  }
  options.username = percent_decoded(user.substr(0, colon));
  options.password = percent_decoded(user.substr(colon + 1));
  if (options.password.empty()) refuse("has an empty password");
}

void apply_host(std::string_view authority, Options& options) {
  std::string_view host = authority;
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') { // an IPv6 address
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) refuse("has a '[' without a ']'");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && port.front() != ':') refuse("has something behind the ']' of its host");
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty()) refuse("has no host");
  options.endpoint.host = percent_decoded(host);
  if (port.empty()) return;
  options.endpoint.port = number(port.substr(1), uint16_t{65535}, "a port");
  if (options.endpoint.port == 0) refuse("has the port 0");
}

void apply_tcp(std::string_view rest, Options& options) {
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  // The last one: a password may hold one that was not encoded.
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    apply_user(authority.substr(0, at), options);
    authority = authority.substr(at + 1);
  }
  apply_host(authority, options);
  if (slash == std::string_view::npos) return;
  const std::string_view path = rest.substr(slash + 1);
  if (!path.empty()) options.database = database_of(path);
}

void apply_unix(std::string_view rest, Options& options) {
  const std::size_t question = rest.find('?');
  std::string_view path = rest.substr(0, question);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) refuse("has no absolute path");
  if (slash > 0) {
    if (path[slash - 1] != '@') refuse("has a host before its path, which must begin with '/'");
    apply_user(path.substr(0, slash - 1), options);
  }
  options.endpoint.unix_path = percent_decoded(path.substr(slash));
  if (question == std::string_view::npos) return;
  const std::string_view query = rest.substr(question + 1);
  if (!query.starts_with("db=")) refuse("has a query other than \"db=N\"");
  options.database = database_of(query.substr(3));
}

} // namespace

void apply_url(std::string_view url, Options& options) {
  const std::size_t colon = url.find("://");
  const std::string_view scheme = colon == std::string_view::npos ? "" : url.substr(0, colon);
  if (scheme == "redis" || scheme == "rediss") {
    if (scheme == "rediss") options.endpoint.tls = true; // "tls" may have said so before
    apply_tcp(url.substr(colon + 3), options);
  } else if (scheme == "unix" || scheme == "redis+unix") {
    apply_unix(url.substr(colon + 3), options);
  } else {
    refuse("does not begin with redis://, rediss:// or unix://");
  }
}

} // namespace swapmq::redis

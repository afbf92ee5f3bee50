// SPDX-License-Identifier: MIT
#include "url.hpp"

#include <string>

#include "network/url_reader.hpp"

namespace swapmq::redis {
namespace {

using network::Authority;
using network::UrlReader;

constexpr uint32_t kMostDatabase = 1000000;

uint32_t database_of(const UrlReader& reader, std::string_view text) {
  return static_cast<uint32_t>(reader.number(text, kMostDatabase, "a database"));
}

void apply_user(const Authority& authority, Options& options) {
  if (!authority.has_user) return;
  options.username = authority.username;
  options.password = authority.password;
}

void apply_tcp(const UrlReader& reader, std::string_view rest, Options& options) {
  const std::size_t slash = rest.find('/');
  const Authority authority = reader.authority(rest.substr(0, slash));
  apply_user(authority, options);
  options.endpoint.host = authority.host;
  if (authority.port != 0) options.endpoint.port = authority.port;
  if (slash == std::string_view::npos) return;
  const std::string_view path = rest.substr(slash + 1);
  if (!path.empty()) options.database = database_of(reader, path);
}

void apply_unix(const UrlReader& reader, std::string_view rest, Options& options) {
  const std::size_t question = rest.find('?');
  std::string_view path = rest.substr(0, question);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) reader.refuse("has no absolute path");
  if (slash > 0) {
    if (path[slash - 1] != '@') {
      reader.refuse("has a host before its path, which must begin with '/'");
    }
    Authority authority;
    reader.user(path.substr(0, slash - 1), authority);
    apply_user(authority, options);
  }
  options.endpoint.unix_path = reader.percent_decoded(path.substr(slash));
  if (question == std::string_view::npos) return;
  const std::string_view query = rest.substr(question + 1);
  if (!query.starts_with("db=")) reader.refuse("has a query other than \"db=N\"");
  options.database = database_of(reader, query.substr(3));
}

} // namespace

void apply_url(std::string_view url, Options& options) {
  const UrlReader reader(options.endpoint.plugin, "\"url\"",
                         R"("redis://[[user]:password@]host[:port][/database]", "rediss://..." )"
                         R"(for TLS, or "unix:///path/to/socket[?db=N]")");
  const std::size_t colon = url.find("://");
  const std::string_view scheme = colon == std::string_view::npos ? "" : url.substr(0, colon);
  const bool with_tls = scheme == options.endpoint.tls_scheme;
  if (with_tls || scheme == options.endpoint.plain_scheme) {
    if (with_tls) options.endpoint.tls = true; // "tls" may have said so before
    apply_tcp(reader, url.substr(colon + 3), options);
  } else if (scheme == "unix" || scheme == "redis+unix") {
    apply_unix(reader, url.substr(colon + 3), options);
  } else {
    reader.refuse("does not begin with redis://, rediss:// or unix://");
  }
}

} // namespace swapmq::redis

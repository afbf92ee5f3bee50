// SPDX-License-Identifier: MIT
#include "url.hpp"

#include "network/url_reader.hpp"

namespace swapmq::rabbitmq {
namespace {

using network::Authority;
using network::Endpoint;
using network::UrlReader;

/// What stands behind the scheme. Whether the URL is one with TLS goes to the endpoint.
std::string_view rest_of(const UrlReader& reader, std::string_view url, Endpoint& endpoint) {
  const std::size_t colon = url.find("://");
  const std::string_view scheme = colon == std::string_view::npos ? "" : url.substr(0, colon);
  const bool with_tls = scheme == endpoint.tls_scheme;
  if (!with_tls && scheme != endpoint.plain_scheme) {
    reader.refuse("does not begin with " + endpoint.plain_scheme + ":// or " + endpoint.tls_scheme +
                  "://");
  }
  if (with_tls) endpoint.tls = true;
  return url.substr(colon + 3);
}

/// Without an empty query.
std::string_view without_query(const UrlReader& reader, std::string_view rest) {
  const std::size_t mark = rest.find_first_of("?#");
  if (mark == std::string_view::npos) return rest;
  if (rest[mark] == '#') reader.refuse("has a '#', which is written %23 in a password");
  if (mark + 1 < rest.size()) {
    reader.refuse(
        "has a query: such things are options of their own (a '?' in a password is "
        "written %3F)");
  }
  return rest.substr(0, mark);
}

void bound(const UrlReader& reader, const std::string& text, const char* what, std::size_t most) {
  if (text.size() > most) {
    reader.refuse(std::string("has ") + what + " longer than " + std::to_string(most) + " bytes");
  }
}

std::string virtual_host_of(const UrlReader& reader, std::string_view path) {
  if (path.empty()) return "/";
  if (path.find('/') != std::string_view::npos) {
    reader.refuse("has a second '/': within the name of a virtual host it is written %2F");
  }
  std::string name = reader.percent_decoded(path);
  bound(reader, name, "a virtual host", kMaxName);
  return name;
}

struct ManagementUrl {
  Endpoint endpoint;
  std::string_view authority; // as it is written
  bool has_port = false;
};

ManagementUrl management_of(std::string_view url) {
  ManagementUrl management;
  Endpoint& endpoint = management.endpoint;
  endpoint.plugin = "rabbitmq";
  endpoint.service = "RabbitMQ's management API";
  endpoint.plain_scheme = "http";
  endpoint.tls_scheme = "https";
  const UrlReader reader(endpoint.plugin, R"("url" in "management")",
                         R"("http://host[:port]" or "https://host[:port]")");
  std::string_view rest = without_query(reader, rest_of(reader, url, endpoint));
  if (rest.ends_with('/')) rest.remove_suffix(1);
  management.authority = rest.substr(0, rest.find('/'));
  const Authority authority = reader.authority(management.authority);
  if (authority.has_user) {
    reader.refuse(R"(has a user: give "username" and "password" beside it)");
  }
  if (management.authority.size() != rest.size()) reader.refuse("has a path");
  endpoint.host = authority.host;
  management.has_port = authority.port != 0;
  const uint16_t usual = endpoint.tls ? 15671 : 15672;
  endpoint.port = management.has_port ? authority.port : usual;
  return management;
}

} // namespace

Broker broker_of(std::string_view url, const std::string& option, bool tls) {
  Broker broker;
  Endpoint& endpoint = broker.endpoint;
  const UrlReader reader(
      endpoint.plugin, option,
      R"("amqp://[user:password@]host[:port][/virtual_host]", or "amqps://..." for TLS)");
  endpoint.tls = tls;
  const std::string_view rest = without_query(reader, rest_of(reader, url, endpoint));
  const std::size_t slash = rest.find('/');
  const Authority authority = reader.authority(rest.substr(0, slash));
  endpoint.host = authority.host;
  endpoint.port = authority.port != 0 ? authority.port : default_port(endpoint.tls);
  if (authority.has_user) {
    if (authority.username.empty()) reader.refuse("has an empty user name");
    broker.username = authority.username;
    broker.password = authority.password;
    bound(reader, broker.username, "a user name", kMaxName);
    bound(reader, broker.password, "a password", kMaxPassword);
  }
  if (slash != std::string_view::npos) {
    broker.virtual_host = virtual_host_of(reader, rest.substr(slash + 1));
  }
  return broker;
}

Endpoint management_endpoint(std::string_view url) { return management_of(url).endpoint; }

std::string management_url(std::string_view url) {
  const ManagementUrl management = management_of(url);
  const Endpoint& endpoint = management.endpoint;
  const std::string port = management.has_port ? "" : ":" + std::to_string(endpoint.port);
  return (endpoint.tls ? endpoint.tls_scheme : endpoint.plain_scheme) + "://" +
         std::string(management.authority) + port;
}

} // namespace swapmq::rabbitmq

// SPDX-License-Identifier: MIT
#include "dialer.hpp"

#include <charconv>
#include <utility>

#include "answers.hpp"
#include "network/deadlines.hpp"
#include "server_error.hpp"

namespace swapmq::redis {

using backend::Deadline;
using backend::Failure;

namespace {

/// "7.0.15" is 7 and 0.
std::pair<int, int> version_of(std::string_view text) {
  int major = 0;
  int minor = 0;
  const char* end = text.data() + text.size();
  const char* at = std::from_chars(text.data(), end, major).ptr;
  if (at != end && *at == '.') std::from_chars(at + 1, end, minor);
  return {major, minor};
}

} // namespace

Dialer::Dialer(const Options& options, std::string client_name)
    : options_(options), client_name_(std::move(client_name)) {
  if (options_.endpoint.tls) tls_.emplace(options_.tls, options_.endpoint.plugin);
}

std::unique_ptr<Connection> Dialer::dial(Deadline deadline, const network::Wake* wake) {
  const Deadline until = network::at_most(deadline, options_.connection_timeout);
  auto transport = network::Transport::connect(options_.endpoint, resolver_,
                                               tls_ ? &*tls_ : nullptr, until, wake);
  auto connection = std::make_unique<Connection>(std::move(transport), options_.endpoint,
                                                 options_.connection_timeout);
  log_in(*connection, until);
  return connection;
}

void Dialer::refuse(swapmq_status status, const std::string& what) const {
  throw Failure(status, options_.endpoint.title() + ": " + what);
}

void Dialer::refused(std::string_view doing, const Reply& reply) const {
  // An old server quotes the arguments of what it does not know: its words are not repeated.
  if (reply.text.starts_with("ERR unknown command")) {
    refuse(SWAPMQ_NOT_SUPPORTED, "it is older than Redis 6.2, which is the oldest that will do");
  }
  Failure failure = server_failure(doing, reply.text);
  const bool quotes =
      !options_.password.empty() && reply.text.find(options_.password) != std::string_view::npos;
  const std::string text = quotes ? "Redis refused " + std::string(doing) : failure.what();
  throw Failure(failure.status(), text + ", at " + options_.endpoint.text(), failure.flags());
}

void Dialer::log_in(Connection& connection, Deadline deadline) const {
  const bool authenticates = !options_.password.empty();
  Commands& out = connection.out();
  if (authenticates && options_.username.empty()) out.add("AUTH", options_.password);
  if (authenticates && !options_.username.empty()) {
    out.add("AUTH", options_.username, options_.password);
  }
  out.add("HELLO", "2");
  out.add("CLIENT", "SETNAME", client_name_);
  if (options_.database != 0) out.add("SELECT", options_.database);
  try {
    if (authenticates) expect_authenticated(*connection.read(deadline));
    read_hello(connection, *connection.read(deadline));
    const OwnedReply named = connection.read(deadline);
    if (named->is_error()) refused("CLIENT SETNAME", *named);
    expect_status(*named, "OK", "CLIENT SETNAME");
    if (options_.database == 0) return;
    const OwnedReply selected = connection.read(deadline);
    if (!selected->is_error()) return expect_status(*selected, "OK", "SELECT");
    if (selected->text.find("out of range") == std::string_view::npos) {
      refused("SELECT", *selected);
    }
    refuse(SWAPMQ_INVALID_ARGUMENT, "it has no database " + std::to_string(options_.database) +
                                        ": see \"databases\" in its configuration");
  } catch (const network::ConnectionLost& lost) {
    throw network::ConnectionLost(lost.what() + network::login_hint(options_.endpoint));
  }
}

void Dialer::expect_authenticated(const Reply& reply) const {
  if (!reply.is_error()) return expect_status(reply, "OK", "AUTH");
  if (reply.text.find("without any password configured") != std::string_view::npos) {
    refuse(SWAPMQ_ACCESS_DENIED, R"(it has no password for the default user: remove "password")");
  }
  if (reply.text.find("wrong number of arguments") != std::string_view::npos) {
    refuse(SWAPMQ_NOT_SUPPORTED, "it is older than Redis 6.2 and knows no users");
  }
  refused("AUTH", reply);
}

void Dialer::read_hello(Connection& connection, const Reply& reply) const {
  if (reply.is_error()) refused("HELLO", reply);
  std::string_view version;
  if (reply.is_array()) {
    const Reply* key = reply.first;
    while (key != nullptr && key->next != nullptr) {
      const Reply& value = *key->next;
      if (key->text == "version") version = value.text;
      if (key->text == "id") connection.id = value.integer;
      key = value.next;
    }
  }
  if (version.empty()) {
    refuse(SWAPMQ_UNAVAILABLE, "its answer to HELLO names no version: is that a Redis server?");
  }
  if (version_of(version) < std::pair(6, 2)) {
    refuse(SWAPMQ_NOT_SUPPORTED, "it is Redis " + std::string(version.substr(0, 32)) +
                                     "; 6.2 is the oldest that will do");
  }
}

} // namespace swapmq::redis

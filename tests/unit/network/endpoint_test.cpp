// SPDX-License-Identifier: MIT
//
// What is said of a server is said of that service, by its own words.
#include "network/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "network/deadlines.hpp"
#include "network/tls.hpp"
#include "network/transport.hpp"

namespace swapmq::network {
namespace {

using testing::HasSubstr;

Endpoint endpoint() {
  return {
      .plugin = "plug", .service = "Serv", .plain_scheme = "pl", .tls_scheme = "pls", .port = 7};
}

std::string refusal(const Endpoint& endpoint) {
  Resolver resolver;
  try {
    Transport::connect(endpoint, resolver, nullptr, in(std::chrono::seconds(10)), nullptr);
    return {};
  } catch (const backend::Failure& failure) {
    return failure.what();
  }
}

TEST(Endpoints, HaveAText) {
  Endpoint one = endpoint();
  EXPECT_EQ(one.text(), "127.0.0.1:7");
  EXPECT_EQ(one.title(), "Serv at 127.0.0.1:7");
  one.tls = true;
  one.host = "::1";
  EXPECT_EQ(one.text(), "[::1]:7 (TLS)");
  one.unix_path = "/s";
  EXPECT_EQ(one.text(), "unix:/s");
}

TEST(Endpoints, ThatCannotBeReachedAreNamed) {
  Endpoint one = endpoint();
  one.port = 1; // where nobody listens
  EXPECT_THAT(refusal(one), HasSubstr("cannot connect to Serv at 127.0.0.1:1: "));
  one.unix_path = std::string(200, 'x');
  EXPECT_THAT(refusal(one), HasSubstr("options of plug: the path of the Unix socket is longer"));
}

TEST(Endpoints, HintsAtTlsNameTheirSchemes) {
  Endpoint one = endpoint();
  EXPECT_EQ(login_hint(one), " (at login); if that is a TLS port, use pls:// or give \"tls\"");
  one.tls = true;
  EXPECT_THAT(login_hint(one), HasSubstr("give \"certificate_file\" and \"key_file\""));
}

TEST(Endpoints, AFileThatTlsCannotUseIsNamedWithWhoseOptionItIs) {
  TlsOptions options;
  options.ca_file = "/does/not/exist.pem";
  try {
    const TlsContext context(options, "plug");
    ADD_FAILURE() << "taken";
  } catch (const backend::Failure& failure) {
    EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT);
    EXPECT_THAT(failure.what(),
                HasSubstr("options of plug: \"ca_file\" /does/not/exist.pem cannot be used: "));
  }
}

} // namespace
} // namespace swapmq::network

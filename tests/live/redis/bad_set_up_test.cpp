// SPDX-License-Identifier: MIT
//
// What an operator is told when the configuration and the server do not fit: soon, what is wrong,
// where, what to do about it, and never the password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "../support/port.hpp"
#include "../support/told.hpp"
#include "fake_server.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

using testing::AnyOf;
using testing::ContainsRegex;
using testing::Eq;
using testing::HasSubstr;

RedisOptions at_port(int port) {
  RedisOptions options;
  options.port = port;
  return options;
}

TEST(BadSetUp, TheServersOwnOptionsDo) {
  for (const std::string& name : redis_setup_names()) {
    const RedisServer server(*redis_setup(name));
    const Told said = told_by_ping(server.options());
    EXPECT_EQ(said.code, Errc::ok) << name << ": " << said.text;
  }
}

TEST(BadSetUp, WrongPassword) {
  for (const char* setup : {"requirepass", "acl"}) {
    const RedisServer server(*redis_setup(setup));
    RedisOptions options = server.options();
    options.password = kSecret;
    expect_both(options, Eq(Errc::access_denied), ContainsRegex("[Pp]assword"));
  }
}

TEST(BadSetUp, NoPasswordWhereOneIsNeeded) {
  const RedisServer server(*redis_setup("requirepass"));
  RedisOptions options = server.options();
  options.password.clear();
  expect_both(options, Eq(Errc::access_denied), HasSubstr("password"));
}

TEST(BadSetUp, PasswordWhereThereIsNone) {
  const RedisServer server;
  RedisOptions options = server.options();
  options.password = kSecret;
  expect_both(options, Eq(Errc::access_denied), HasSubstr("password"));
}

TEST(BadSetUp, WrongUser) {
  const RedisServer server(*redis_setup("acl"));
  RedisOptions options = server.options();
  options.user = "nobody";
  expect_both(options, Eq(Errc::access_denied), ContainsRegex("user"));
}

TEST(BadSetUp, UserWhoMayNotPublish) {
  const RedisServer server(*redis_setup("acl"));
  RedisOptions options = server.options();
  ASSERT_EQ(server.command({"ACL", "SETUSER", options.user, "-xadd"}), "OK");
  EXPECT_EQ(told_by_ping(options).code, Errc::ok);
  const Told said = told_by_publish(options);
  EXPECT_EQ(said.code, Errc::access_denied) << said.text;
  EXPECT_THAT(said.text, ContainsRegex("xadd|XADD"));
}

TEST(BadSetUp, WrongDatabase) {
  const RedisServer server;
  RedisOptions options = server.options();
  options.database = 99;
  expect_both(options, Eq(Errc::invalid_argument), ContainsRegex("database.*99|99.*database"));
}

TEST(BadSetUp, RefusedPort) {
  const ReservedPort nobody;
  expect_both(at_port(nobody.number()), Eq(Errc::unavailable), HasSubstr("refused"));
}

TEST(BadSetUp, NoSuchUnixSocket) {
  RedisOptions options;
  options.socket = "/nonesuch/redis.sock";
  const Told said = told_by_ping(options);
  EXPECT_EQ(said.code, Errc::unavailable);
  EXPECT_THAT(said.text, HasSubstr("/nonesuch/redis.sock"));
  EXPECT_THAT(said.text, HasSubstr("No such file"));
}

TEST(BadSetUp, HostThatDoesNotResolve) {
  RedisOptions options;
  options.host = "redis.invalid"; // reserved never to exist
  // Without a name server that answers, the time is over before. The port is not what is wrong.
  expect_both(options, AnyOf(Errc::unavailable, Errc::timeout), HasSubstr("resolve"),
              "redis.invalid");
}

TEST(BadSetUp, TlsToAPlainPort) {
  const RedisServer server; // which waits for the rest of the command that it takes a hello for
  RedisOptions options = server.options();
  options.tls = true;
  expect_both(options, AnyOf(Errc::unavailable, Errc::timeout),
              ContainsRegex("TLS.*(redis://|plain|without \"tls\"|TLS port)"));
}

TEST(BadSetUp, PlainToATlsPort) {
  const RedisServer server(*redis_setup("tls"));
  expect_both(at_port(server.port()), Eq(Errc::unavailable), HasSubstr("TLS"));
}

RedisSetup tls_with(RedisSetup::Certificate certificate) {
  RedisSetup setup = *redis_setup("tls");
  setup.certificate = certificate;
  return setup;
}

TEST(BadSetUp, ExpiredCertificate) {
  const RedisServer server(tls_with(RedisSetup::Certificate::expired));
  expect_both(server.options(), Eq(Errc::unavailable), ContainsRegex("certificate.*expired"));
}

TEST(BadSetUp, CertificateOfAnotherName) {
  const RedisServer server(tls_with(RedisSetup::Certificate::wrong_name));
  expect_both(server.options(), Eq(Errc::unavailable),
              ContainsRegex("certificate.*(mismatch|name).*server_name"));
  RedisOptions named = server.options();
  named.server_name = "elsewhere.example";
  EXPECT_EQ(told_by_ping(named).code, Errc::ok) << told_by_ping(named).text;
}

TEST(BadSetUp, CertificateOfAnUnknownAuthority) {
  const RedisServer server(*redis_setup("tls"));
  RedisOptions options = server.options();
  options.ca_file = server.folder() / "foreign-ca.pem";
  expect_both(options, Eq(Errc::unavailable), ContainsRegex("certificate.*ca_file"));
}

TEST(BadSetUp, NoClientCertificateWhereOneIsNeeded) {
  const RedisServer server(*redis_setup("tls"));
  RedisOptions options = server.options();
  options.certificate_file.clear();
  options.key_file.clear();
  expect_both(options, AnyOf(Errc::unavailable, Errc::access_denied),
              HasSubstr("certificate_file"));
}

TEST(BadSetUp, CertificateFileThatIsNone) {
  const RedisServer server(*redis_setup("tls"));
  RedisOptions options = server.options();
  options.ca_file = server.folder() / "redis.conf";
  for (const Told& said : {told_by_ping(options), told_by_publish(options)}) {
    EXPECT_THAT(said.code, AnyOf(Errc::invalid_argument, Errc::config)) << said.text;
    EXPECT_THAT(said.text, HasSubstr(options.ca_file));
  }
}

TEST(BadSetUp, RedisThatIsTooOld) {
  for (const char* version : {"5.0.14", "6.0.16"}) {
    const FakeServer server({}, version);
    expect_both(at_port(server.port()), AnyOf(Errc::not_supported, Errc::unavailable),
                HasSubstr("6.2"));
  }
  const FakeServer six({}, "6.0.16");
  EXPECT_THAT(told_by_ping(at_port(six.port())).text, HasSubstr("6.0.16"));
}

TEST(BadSetUp, HttpServer) {
  const FakeServer server(http_server());
  expect_both(at_port(server.port()), Eq(Errc::unavailable),
              ContainsRegex("HTTP|not a Redis|is that a Redis|protocol"));
}

TEST(BadSetUp, ServerThatNeverAnswers) {
  const FakeServer server(silence());
  expect_both(at_port(server.port()), AnyOf(Errc::timeout, Errc::unavailable),
              ContainsRegex("did not answer|no answer|said nothing"));
}

TEST(BadSetUp, TlsServerThatNeverAnswers) {
  const RedisServer server(*redis_setup("tls"));
  server.pause();
  expect_both(server.options(), AnyOf(Errc::timeout, Errc::unavailable), HasSubstr("TLS"));
}

} // namespace
} // namespace swapmq::live

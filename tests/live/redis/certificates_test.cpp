// SPDX-License-Identifier: MIT
//
// What a client that verifies finds at servers with each kind of certificate.
#include "../support/certificates.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "redis_server.hpp"

namespace swapmq::live {
namespace {

/// The result of verifying the server's certificate for 127.0.0.1: X509_V_*.
long verified(const RedisServer& server, const std::string& ca_file) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr), 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), "127.0.0.1");
  const Descriptor socket = connect_to(server.port());
  fcntl(socket.get(), F_SETFL, 0);
  SSL_set_fd(ssl.get(), socket.get());
  SSL_connect(ssl.get());
  return SSL_get_verify_result(ssl.get());
}

long verified(RedisSetup::Certificate certificate, const char* ca = "ca.pem") {
  RedisSetup setup;
  setup.listen = RedisSetup::Listen::tls;
  setup.certificate = certificate;
  const RedisServer server(setup);
  return verified(server, server.folder() / ca);
}

TEST(Certificates, OfOurAuthorityIsTrusted) {
  EXPECT_EQ(verified(RedisSetup::Certificate::good), X509_V_OK);
}

TEST(Certificates, OfAForeignAuthorityIsNot) {
  // The server sends the authority's certificate along.
  EXPECT_EQ(verified(RedisSetup::Certificate::good, "foreign-ca.pem"),
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
}

TEST(Certificates, Expired) {
  EXPECT_EQ(verified(RedisSetup::Certificate::expired), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificates, OfAnotherName) {
  EXPECT_EQ(verified(RedisSetup::Certificate::wrong_name), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

} // namespace
} // namespace swapmq::live

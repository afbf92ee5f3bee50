// SPDX-License-Identifier: MIT
#include "tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "swapmq/backend.hpp"

namespace swapmq::network {
namespace {

using backend::Failure;

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

int write_bytes(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t sent = -1;
  do {
    sent = send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int read_bytes(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t got = -1;
  do {
    got = recv(socket_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

std::string last_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return "no reason given";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> out{};
  return inet_pton(AF_INET, host.c_str(), out.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), out.data()) == 1;
}

} // namespace

TlsContext::TlsContext(const TlsOptions& options, std::string plugin)
    : options_(options), plugin_(std::move(plugin)) {
  // No handler at exit: the process is the host's.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
  method_.reset(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "swapmq socket"));
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (method_ == nullptr || context_ == nullptr) refuse("TLS cannot be set up");
  BIO_meth_set_write(method_.get(), &write_bytes);
  BIO_meth_set_read(method_.get(), &read_bytes);
  BIO_meth_set_ctrl(method_.get(), &control);
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context_.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  trust();
  identify();
}

void TlsContext::refuse(const std::string& what) const {
  const std::string why = last_openssl_error();
  ERR_clear_error();
  throw Failure(SWAPMQ_INVALID_ARGUMENT, "options of " + plugin_ + ": " + what + ": " + why);
}

void TlsContext::trust() {
  SSL_CTX_set_verify(context_.get(), options_.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options_.ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context_.get(), options_.ca_file.c_str(), nullptr) != 1) {
      refuse("\"ca_file\" " + options_.ca_file + " cannot be used");
    }
  } else if (options_.verify && SSL_CTX_set_default_verify_paths(context_.get()) != 1) {
    refuse("the system's authorities cannot be read; name a \"ca_file\"");
  }
}

void TlsContext::identify() {
  if (options_.certificate_file.empty()) return;
  SSL_CTX* context = context_.get();
  if (SSL_CTX_use_certificate_chain_file(context, options_.certificate_file.c_str()) != 1) {
    refuse("\"certificate_file\" " + options_.certificate_file + " cannot be used");
  }
  if (SSL_CTX_use_PrivateKey_file(context, options_.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    refuse("\"key_file\" " + options_.key_file + " cannot be used");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    refuse("\"key_file\" " + options_.key_file + " is not the key of \"certificate_file\"");
  }
}

SslPtr TlsContext::client(int socket, const std::string& host) const {
  SslPtr ssl(SSL_new(context_.get()));
  BIO* bio = ssl != nullptr ? BIO_new(method_.get()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  if (is_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl.get(), name.c_str());
    SSL_set1_host(ssl.get(), name.c_str());
  }
  SSL_set_connect_state(ssl.get());
  return ssl;
}

std::string handshake_failure(const SSL* ssl, const Endpoint& endpoint) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) {
    return std::string("the server's certificate is not accepted: ") +
           X509_verify_cert_error_string(verified) +
           R"( (see "tls": "ca_file" says whom to trust, "server_name" which name it must have))";
  }
  const unsigned long code = ERR_peek_error();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
    return "the server does not speak TLS on this port: use " + endpoint.plain_scheme +
           ":// without \"tls\", or its TLS port";
  }
  const char* reason = ERR_reason_error_string(code);
  return std::string("the TLS handshake failed: ") +
         (reason != nullptr ? reason : "the server closed the connection");
}

std::string login_hint(const Endpoint& endpoint) {
  const std::string during = " (at login); ";
  // TLS 1.3 tells of a missing certificate only now.
  if (endpoint.tls) {
    return during +
           R"(if it asks for a client's certificate, give "certificate_file" and "key_file")";
  }
  return during + "if that is a TLS port, use " + endpoint.tls_scheme + ":// or give \"tls\"";
}

} // namespace swapmq::network

// SPDX-License-Identifier: MIT
//
// TLS for the transport: OpenSSL over a socket whose writes raise no SIGPIPE.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "endpoint.hpp"

namespace swapmq::network {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

/// What all connections of a backend share: whom to trust and who we are. Any thread.
class TlsContext {
 public:
  /// `plugin`: whose options they are. Throws Failure(INVALID_ARGUMENT) that names it and the file
  /// which cannot be used.
  TlsContext(const TlsOptions& options, std::string plugin);

  /// A client's side of a connection over `socket`, which is used with MSG_NOSIGNAL and without
  /// waiting; `host` is what the certificate must name unless the options say otherwise.
  [[nodiscard]] SslPtr client(int socket, const std::string& host) const;

 private:
  void trust();
  void identify();
  [[noreturn]] void refuse(const std::string& what) const;

  TlsOptions options_;
  std::string plugin_;
  std::unique_ptr<BIO_METHOD, FreeSsl> method_;
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
};

/// Why a handshake failed, in words for an operator.
std::string handshake_failure(const SSL* ssl, const Endpoint& endpoint);

/// What may be the matter where the server ends a connection before its login is over; goes behind
/// what says so.
std::string login_hint(const Endpoint& endpoint);

} // namespace swapmq::network

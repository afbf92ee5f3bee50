// SPDX-License-Identifier: MIT
//
// A certificate authority of our own and what it signs, as PEM files; elliptic curves, so that a
// whole set takes a few milliseconds.
#pragma once

#include <memory>
#include <string>

namespace swapmq::live {

/// A certificate and its private key.
struct CertificateFiles {
  std::string certificate_file, key_file;
};

class Authority {
 public:
  /// Writes `folder`/`name`.pem. Throws std::runtime_error where that fails.
  Authority(std::string folder, std::string name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  [[nodiscard]] std::string certificate_file() const;

  enum class Validity { now, expired };
  /// Writes `folder`/`name`.pem and .key. `hosts` is a subjectAltName,
  /// "DNS:localhost,IP:127.0.0.1".
  CertificateFiles issue(const std::string& name, const std::string& hosts,
                         Validity validity = Validity::now);

 private:
  struct Signer;
  std::string folder_, name_;
  std::unique_ptr<Signer> signer_;
};

enum class ServerCertificate { good, expired, wrong_name };

/// What a server on 127.0.0.1 and its clients need, in `folder`: ca.pem, server.pem and .key,
/// client.pem and .key; and foreign-ca.pem, which signed none of them.
void write_certificates(const std::string& folder, ServerCertificate which);

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
#include "certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>
#include <utility>

namespace swapmq::live {

namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using File = std::unique_ptr<std::FILE, Free<std::fclose>>;

constexpr long kDay = 24L * 60 * 60;

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("certificates: ") + what + " failed");
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "making a key");
  return key;
}

/// Version 3, a random serial number, this subject, this key; not yet signed.
Certificate new_certificate(const std::string& name, EVP_PKEY* key) {
  Certificate made(X509_new());
  check(made != nullptr && X509_set_version(made.get(), 2) == 1, "making a certificate");
  unsigned char random[4];
  check(RAND_bytes(random, sizeof random) == 1, "RAND_bytes");
  const unsigned serial =
      (random[0] & 0x7fU) << 24U | unsigned{random[1]} << 16U | unsigned{random[2]} << 8U | 1U;
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), static_cast<long>(serial));
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME* subject = X509_get_subject_name(made.get());
  check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1, "naming");
  check(X509_set_pubkey(made.get(), key) == 1, "setting the key");
  return made;
}

void be_valid(X509* certificate, long from, long until) {
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until);
}

void extend(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  check(extension != nullptr, "making an extension");
  check(X509_add_ext(certificate, extension.get(), -1) == 1, "adding an extension");
}

File create(const std::string& path) {
  File file(std::fopen(path.c_str(), "we"));
  if (!file) throw std::runtime_error("certificates: cannot write " + path);
  return file;
}

void write_certificate(const std::string& path, X509* certificate) {
  check(PEM_write_X509(create(path).get(), certificate) == 1, "writing a certificate");
}

} // namespace

struct Authority::Signer {
  Key key;
  Certificate certificate;
};

Authority::Authority(std::string folder, std::string name)
    : folder_(std::move(folder)), name_(std::move(name)), signer_(std::make_unique<Signer>()) {
  signer_->key = new_key();
  signer_->certificate = new_certificate(name_, signer_->key.get());
  X509* own = signer_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  be_valid(own, -30 * kDay, 30 * kDay);
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(own, own, NID_subject_key_identifier, "hash");
  check(X509_sign(own, signer_->key.get(), EVP_sha256()) > 0, "signing");
  write_certificate(certificate_file(), own);
}

Authority::~Authority() = default;

std::string Authority::certificate_file() const { return folder_ + "/" + name_ + ".pem"; }

CertificateFiles Authority::issue(const std::string& name, const std::string& hosts,
                                  Validity validity) {
  const Key key = new_key();
  const Certificate made = new_certificate(name, key.get());
  X509* issuer = signer_->certificate.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
  const bool expired = validity == Validity::expired;
  be_valid(made.get(), expired ? -20 * kDay : -kDay, expired ? -10 * kDay : 10 * kDay);
  extend(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(made.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  if (!hosts.empty()) extend(made.get(), issuer, NID_subject_alt_name, hosts);
  check(X509_sign(made.get(), signer_->key.get(), EVP_sha256()) > 0, "signing");

  CertificateFiles files{folder_ + "/" + name + ".pem", folder_ + "/" + name + ".key"};
  write_certificate(files.certificate_file, made.get());
  const File key_file = create(files.key_file);
  check(PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "writing a key");
  return files;
}

void write_certificates(const std::string& folder, ServerCertificate which) {
  Authority authority(folder, "ca");
  const Authority stranger(folder, "foreign-ca");
  const std::string here = "DNS:localhost,IP:127.0.0.1";
  switch (which) {
    case ServerCertificate::good:
      authority.issue("server", here);
      break;
    case ServerCertificate::expired:
      authority.issue("server", here, Authority::Validity::expired);
      break;
    case ServerCertificate::wrong_name:
      authority.issue("server", "DNS:elsewhere.example,IP:192.0.2.1");
      break;
  }
  authority.issue("client", "");
}

} // namespace swapmq::live

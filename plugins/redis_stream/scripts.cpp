// SPDX-License-Identifier: MIT
#include "scripts.hpp"

#include <openssl/evp.h>

#include <array>

#include "script_texts.hpp"
#include "server_error.hpp"

namespace swapmq::redis {
namespace {

std::string sha1_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw backend::Failure(SWAPMQ_INTERNAL, "OpenSSL has no SHA-1, which Redis names scripts by");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

} // namespace

Script::Script(std::string_view its_name, uint32_t number, const char* its_text)
    : name(its_name),
      bit(1U << number),
      text(std::string(scripts::kCommonText) + its_text),
      sha(sha1_of(text)) {}

namespace scripts {

const Script& publish() {
  static const Script script("publishing", 0, kPublishText);
  return script;
}
const Script& take() {
  static const Script script("taking what is due", 1, kTakeText);
  return script;
}
const Script& give_back() {
  static const Script script("giving back", 2, kGiveBackText);
  return script;
}
const Script& leave() {
  static const Script script("leaving", 3, kLeaveText);
  return script;
}
const Script& ack_fenced() {
  static const Script script("acking", 4, kAckFencedText);
  return script;
}
const Script& dead_letter() {
  static const Script script("dead-lettering", 5, kDeadLetterText);
  return script;
}
const Script& stats() {
  static const Script script("reading sizes", 6, kStatsText);
  return script;
}
const Script& purge() {
  static const Script script("purging", 7, kPurgeText);
  return script;
}
const Script& claim() {
  static const Script script("claiming", 8, kClaimText);
  return script;
}
const Script& settle_claimed() {
  static const Script script("settling what was claimed", 9, kSettleClaimedText);
  return script;
}

const Script& peek() {
  static const Script script("showing what is ready", 10, kPeekText);
  return script;
}

} // namespace scripts

Commands& begin_call(Connection& connection, const Script& script,
                     std::initializer_list<std::string_view> keys, std::size_t arguments) {
  Commands& out = connection.out();
  out.begin(3 + keys.size() + arguments);
  if ((connection.scripts_sent & script.bit) == 0) {
    connection.scripts_sent |= script.bit;
    out.arg("EVAL").arg(script.text);
  } else {
    out.arg("EVALSHA").arg(script.sha);
  }
  out.arg(keys.size());
  for (const std::string_view key : keys) out.arg(key);
  return out;
}

bool script_is_unknown(Connection& connection, std::string_view error_reply) {
  if (!has_code(error_reply, "NOSCRIPT")) return false;
  connection.scripts_sent = 0;
  return true;
}

} // namespace swapmq::redis

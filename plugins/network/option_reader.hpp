// SPDX-License-Identifier: MIT
//
// What the options of backends that talk over a network have in common to be read: each value with
// its range, and an error that names the plugin and the key and never quotes a value.
#pragma once

#include <rapidjson/document.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "endpoint.hpp"
#include "reconnect.hpp"

namespace swapmq::network {

/// An option that is a number and nothing else; `Type` is an unsigned integer or a duration.
template <class Options, class Type>
struct Measure {
  std::string_view key;
  Type Options::*member;
  uint64_t least, most;
};

/// All of it throws Failure(INVALID_ARGUMENT).
class OptionReader {
 public:
  using Value = rapidjson::Value;
  using milliseconds = std::chrono::milliseconds;

  explicit OptionReader(std::string plugin) : plugin_(std::move(plugin)) {}

  [[noreturn]] void refuse(std::string what) const;
  [[noreturn]] void refuse_unknown(std::string_view key) const;
  /// Two keys that say the same thing.
  [[noreturn]] void refuse_both(std::string_view one, std::string_view other) const;

  /// The object that the options are; an empty text is an empty one.
  [[nodiscard]] rapidjson::Document parse(std::string_view json) const;

  [[nodiscard]] uint64_t integer(const Value& value, std::string_view key, uint64_t least,
                                 uint64_t most) const;
  [[nodiscard]] milliseconds span_ms(const Value& value, std::string_view key, uint64_t least,
                                     uint64_t most) const;
  [[nodiscard]] milliseconds seconds(const Value& value, std::string_view key, double most) const;
  /// Without a NUL byte.
  [[nodiscard]] std::string text(const Value& value, std::string_view key, std::size_t most) const;
  /// The absolute name of a PEM file.
  [[nodiscard]] std::string file(const Value& value, std::string_view key) const;
  /// One of SWAPMQ_DURABILITY_*, from its word.
  [[nodiscard]] int32_t durability(const Value& value, std::string_view key) const;
  /// The object "tls".
  [[nodiscard]] TlsOptions tls(const Value& object) const;

  /// Takes the key if it is about connecting again. False: it is another one.
  bool take_retry(RetryOptions& retry, std::string_view key, const Value& value) const;
  /// Takes the key if it is one of these measures.
  template <class Options, class Measures>
  bool take_measure(const Measures& measures, Options& options, std::string_view key,
                    const Value& value) const {
    for (const auto& measure : measures) {
      if (key != measure.key) continue;
      auto& member = options.*measure.member;
      member = std::remove_reference_t<decltype(member)>(
          integer(value, key, measure.least, measure.most));
      return true;
    }
    return false;
  }

 private:
  std::string plugin_;
};

inline std::string_view view(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}

/// Each member of an object, as a key and a value.
template <class Each>
void for_each_member(const rapidjson::Value& object, Each&& each) {
  // By number: comparing RapidJSON's iterators is ambiguous in C++20.
  for (rapidjson::SizeType i = 0; i < object.MemberCount(); ++i) {
    const auto& member = *(object.MemberBegin() + static_cast<std::ptrdiff_t>(i));
    each(view(member.name), member.value);
  }
}

} // namespace swapmq::network

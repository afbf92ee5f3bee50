// SPDX-License-Identifier: MIT
//
// What the tests of each plugin's options ask of its parser and its schema.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::test {

/// What refuses the options; empty if they are taken.
template <class Options>
std::string refusal_by(Options (*parse)(std::string_view), const std::string& json) {
  try {
    parse(json);
    return {};
  } catch (const backend::Failure& failure) {
    EXPECT_EQ(failure.status(), SWAPMQ_INVALID_ARGUMENT) << json;
    return failure.what();
  }
}

/// Options, each with a part of the text that refuses them.
template <class Options>
void expect_refused(Options (*parse)(std::string_view),
                    const std::vector<std::pair<std::string, std::string>>& wrong) {
  for (const auto& [json, wanted] : wrong) {
    const std::string text = refusal_by(parse, json);
    EXPECT_NE(text.find(wanted), std::string::npos) << json.substr(0, 200) << "\n -> " << text;
    EXPECT_NE(text, "") << "taken: " << json.substr(0, 200);
  }
}

/// Each is refused, by a text without the secret.
template <class Options>
void expect_refused_without(Options (*parse)(std::string_view), const std::string& secret,
                            const std::vector<std::string>& wrong) {
  for (const std::string& json : wrong) {
    const std::string text = refusal_by(parse, json);
    EXPECT_NE(text, "") << "taken: " << json;
    EXPECT_EQ(text.find(secret), std::string::npos) << text;
  }
}

/// An option that is a number.
template <class Options>
struct Number {
  std::string key;
  uint64_t least, most, by_default;
  uint64_t (*of)(const Options& options);
};

/// Its default, its range and that the schema says the same. `more`: members that it needs beside
/// it, each with a comma before it.
template <class Options>
void expect_number(Options (*parse)(std::string_view), const std::string& schema,
                   const Number<Options>& number, const std::string& more = "") {
  SCOPED_TRACE(number.key);
  const std::string least = std::to_string(number.least);
  const std::string most = std::to_string(number.most);
  const auto with = [&](const std::string& value) {
    return "{\"" + number.key + "\": " + value + more + "}";
  };
  EXPECT_EQ(number.of(parse("{}")), number.by_default);
  for (const uint64_t value : {number.least, number.least + 1, number.most}) {
    EXPECT_EQ(number.of(parse(with(std::to_string(value)))), value);
  }
  const std::string wanted =
      "\"" + number.key + "\" is not an integer from " + least + " to " + most;
  for (const std::string& value :
       {std::to_string(static_cast<int64_t>(number.least) - 1), std::to_string(number.most + 1),
        std::string("1.5"), std::string("\"1\""), std::string("18446744073709551616")}) {
    const std::string text = refusal_by(parse, with(value));
    EXPECT_NE(text.find(wanted), std::string::npos) << value << " -> " << text;
  }
  EXPECT_NE(schema.find("\"" + number.key + R"(": { "type": "integer", "minimum": )" + least +
                        ", \"maximum\": " + most +
                        ", \"default\": " + std::to_string(number.by_default) + ","),
            std::string::npos)
      << "the schema says something else";
}

} // namespace swapmq::test

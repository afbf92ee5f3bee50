// SPDX-License-Identifier: MIT
//
// What an operator is told by an application whose configuration and broker do not fit.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "app_config.hpp"
#include "deadline.hpp"

namespace swapmq::live {

inline constexpr auto kToldIn = milliseconds(1500);
inline constexpr auto kToldLate = milliseconds(1500); // for a busy machine
inline constexpr const char* kSecret = "s3cret-of-the-operator";

/// What opening and pinging said, or publishing.
struct Told {
  Errc code = Errc::ok;
  std::string text{};
  bool retryable = false;
};

inline Told told(const Error& error) { return {error.code(), error.message(), error.retryable()}; }

template <class Options>
Told told_by_ping(const Options& options) {
  const auto began = Clock::now();
  auto opened = MessageQueue::try_open_text(ConfigOf<Options>{options}.json(), "test");
  const Told said = told(opened ? opened->ping(kToldIn) : opened.error());
  EXPECT_LT(Clock::now() - began, kToldIn + kToldLate) << said.text;
  return said;
}

/// By a publish that cannot even have been sent: it failed, and is not in doubt.
template <class Options>
Told told_by_publish(const Options& options) {
  const auto began = Clock::now();
  auto opened = MessageQueue::try_open_text(ConfigOf<Options>{options}.json(), "test");
  if (!opened) return told(opened.error());
  const Sent sent = opened->publish("tasks", "body", {.timeout = kToldIn});
  EXPECT_EQ(sent.outcome(), Outcome::failed) << sent.error().message();
  EXPECT_LT(Clock::now() - began, kToldIn + kToldLate) << sent.error().message();
  return told(sent.error());
}

/// That it is one line with this in it, and without a password.
template <class Code, class Text>
void expect_told(const Told& said, const Code& code, const Text& text) {
  EXPECT_THAT(said.code, code) << said.text;
  EXPECT_THAT(said.text, text);
  EXPECT_THAT(said.text, testing::Not(testing::HasSubstr(kSecret)));
  EXPECT_THAT(said.text, testing::Not(testing::HasSubstr("\n")));
}

/// That both calls say this, with the address, which is that of the options unless `at` is given.
template <class Options, class Code, class Text>
void expect_both(const Options& options, const Code& code, const Text& text,
                 const std::string& at = {}) {
  const std::string where = at.empty() ? options.host + ":" + std::to_string(options.port) : at;
  for (const Told& said : {told_by_ping(options), told_by_publish(options)}) {
    expect_told(said, code, text);
    EXPECT_THAT(said.text, testing::HasSubstr(where));
  }
}

} // namespace swapmq::live

// SPDX-License-Identifier: MIT
//
// Usage: config_replay MUTATIONS FILE-or-FOLDER...
#include "config_target.h"
#include "replay.h"

namespace {

constexpr std::string_view kTokens[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-1",
    "1e999",
    "0.5",
    "\xFF",
    "\xC3",
    "\x01",
    "{}",
    "[]",
    "\"\"",
    "/*",
    "\n",
    "9999999999999999999999",
    "\"sqlite\"",
    "\"type\":",
    "\"pool\":{}",
    "\"any\":",
    "\"tree\":[[",
    "\"one\":4",
    "[[[[[[[[[[[[[[[[",
    "\"password\":\"a@b\"",
};

} // namespace

int main(int count, char** arguments) {
  return swapmq::fuzz::replay(swapmq::fuzz::try_config, kTokens, count, arguments);
}

// SPDX-License-Identifier: MIT
//
// Usage: redis_replay MUTATIONS FILE-or-FOLDER...
#include "redis_target.h"
#include "replay.h"

namespace {

constexpr std::string_view kTokens[] = {
    "\r\n",
    "+OK\r\n",
    "-ERR x\r\n",
    "-NOGROUP x\r\n",
    ":0\r\n",
    ":-1\r\n",
    ":9223372036854775807\r\n",
    ":9223372036854775808\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "$1\r\nx\r\n",
    "$99\r\n",
    "$2147483647\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*1\r\n",
    "*2\r\n",
    "*3\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n",
    "*2147483647\r\n",
    "$4\r\ndata\r\n",
    "$10\r\nmessage_id\r\n",
    "$9\r\ntimestamp\r\n$2\r\n-5\r\n",
    "$11\r\nretry_count\r\n$10\r\n4294967295\r\n",
    "$8\r\npriority\r\n$1\r\n9\r\n",
    "$7\r\nheader:\r\n",
    "$8\r\nheader:x\r\n",
    "$15\r\n1700000000000-0\r\n",
    "$20\r\n18446744073709551615\r\n",
};

} // namespace

int main(int count, char** arguments) {
  return swapmq::fuzz::replay(swapmq::fuzz::try_redis, kTokens, count, arguments);
}

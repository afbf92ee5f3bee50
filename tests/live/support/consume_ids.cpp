// SPDX-License-Identifier: MIT
//
// consume_ids CONFIG QUEUE FILE MOST: consumes and writes the id of each message to the file before
// it acknowledges it, but keeps what comes after the first MOST. Until killed.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "swapmq/swapmq.hpp"

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const auto most = std::strtoull(argv[4], nullptr, 10);
  std::vector<swapmq::Delivery> kept; // by the one handler
  unsigned long long count = 0;
  auto mq = swapmq::MessageQueue::try_open_text(argv[1], "consume_ids");
  if (!mq || file < 0) return 3;
  const auto say = [file](const std::string& line) {
    if (write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(4);
  };
  auto consumer = mq->consume(argv[2], {.prefetch = 50}, [&](const swapmq::Delivery& delivery) {
    if (++count > most) {
      say("kept\n");
      kept.push_back(delivery);
      return swapmq::keep();
    }
    say(std::string(delivery.id()) + "\n");
    return swapmq::ack();
  });
  if (!consumer) return 3;
  for (;;) pause();
}

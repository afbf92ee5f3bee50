// SPDX-License-Identifier: MIT

#include <chrono>
#include <future>
#include <iostream>
#include <swapmq/swapmq.hpp>

int main(int argc, char** argv) try {
  auto mq = swapmq::MessageQueue::open(argc > 1 ? argv[1] : "swapmq.json"); // names no broker

  const swapmq::Sent sent = mq.publish("greetings", "hello"); // waits for the broker's word
  if (!sent) {
    std::cerr << to_string(sent.outcome()) << ": " << sent.error().message() << '\n';
    return 1;
  }

  std::promise<void> arrived;
  auto consumer = mq.consume("greetings", {.prefetch = 1}, [&](const swapmq::Delivery& delivery) {
    std::cout << delivery.body() << " by way of " << mq.backend_name() << '\n';
    arrived.set_value();
    return swapmq::ack();
  });
  arrived.get_future().wait_for(std::chrono::seconds(10));
  return consumer->close() || mq.close() ? 1 : 0; // what the handler decided reaches the broker
} catch (const swapmq::Exception& problem) {
  std::cerr << problem.what() << '\n'; // one line: what is wrong, where, and what to do
  return 1;
}

// SPDX-License-Identifier: MIT
#include "rabbit.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "../broker/ids.h"

namespace bench {

using namespace std::chrono_literals;

Rabbit::Rabbit(pid_t server, const Link::Place& place)
    : Broker(server), place_(place), link_(place), publisher_(link_, 2048) {}

void Rabbit::fill(std::string_view queue, std::string_view body, std::span<const Id> ids) {
  publisher_.begin(queue, body);
  for (const Id& id : ids) publisher_.publish(id, unix_ms());
  publisher_.finish();
}

std::vector<Id> Rabbit::ids(std::string_view queue, std::string_view body) {
  std::vector<Id> found(link_.look(queue).ready);
  Link link(place_); // what it has not read of, ends with it
  if (!found.empty()) link.consume(queue, 0, false);
  amqp_frame_t deliver;
  for (Id& id : found) {
    link.read(deliver);
    const std::size_t size = link.read_content(
        [&](const amqp_basic_properties_t& properties) { keep(id, text(properties.message_id)); });
    if (size != body.size()) throw std::runtime_error("a body is not as published");
    link.release();
  }
  return found;
}

/// What is not acked is ready again once the queue knows that its consumer is gone.
std::size_t Rabbit::left(std::string_view queue) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (true) {
    const auto [ready, consumers] = link_.look(queue);
    link_.release();
    if (consumers == 0) return ready;
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("a consumer stays");
    std::this_thread::sleep_for(1ms);
  }
}

void Rabbit::clear(std::string_view queue) {
  link_.remove(queue);
  link_.release();
}

} // namespace bench

// SPDX-License-Identifier: MIT
#include "cases.h"

#include <limits>
#include <memory>
#include <utility>

#include "../broker/library.h"
#include "raw.h"

namespace bench {
namespace {

using Kind = Case::Kind;

constexpr double small_goal = 1.05, calls_goal = 1.0, large_goal = 1.0, consume_goal = 1.0,
                 both_goal = 1.0;
constexpr double latency_goal = 1 / 1.15; // it may take 1.15 times as long
constexpr std::size_t small = 64, large = 1024;
constexpr std::size_t usual_window = 512;
constexpr std::uint32_t prefetch = swapmq::ConsumeOptions{}.prefetch;
constexpr std::size_t whole_task = std::numeric_limits<std::size_t>::max();

std::unique_ptr<Contender> ours(const Case& what, swapmq::MessageQueue& mq) {
  switch (what.kind) {
    case Kind::stream:
      return library_batches(mq, whole_task);
    case Kind::single:
      return library_single(mq);
    case Kind::consume:
      return library_handler(mq, prefetch);
    case Kind::both:
      return library_both(mq, what.window, prefetch);
    default:
      return library_batches(mq, what.window);
  }
}

std::vector<RawVariant> raw(const Case& what, const Link::Place& place) {
  switch (what.kind) {
    case Kind::single:
      return raw_single(place);
    case Kind::consume:
      return raw_consuming(place, prefetch);
    case Kind::both:
      return raw_both(place, what.window, prefetch);
    default:
      return raw_publishing(place, what.window);
  }
}

Traffic traffic(Kind kind) {
  if (kind == Kind::consume) return Traffic::consumes;
  return kind == Kind::both ? Traffic::both : Traffic::publishes;
}

} // namespace

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const std::string type : {"classic", "quorum"}) {
    const auto add = [&](const std::string& what, Kind kind, std::size_t window, std::size_t body,
                         std::size_t messages, double goal) {
      all.push_back({type + "_" + what, type, kind, window, body, messages, goal});
    };
    for (const std::size_t window : {128, 512, 2048}) {
      const std::string name = "publish_" + std::to_string(window);
      add(name + "_64B", Kind::stream, window, small, 12'288, small_goal);
      add(name + "_1KiB", Kind::stream, window, large, 8'192, large_goal);
    }
    add("publish_calls_64B", Kind::calls, usual_window, small, 12'288, calls_goal);
    add("publish_1_64B", Kind::single, 1, small, 600, latency_goal);
    add("consume", Kind::consume, usual_window, small, 40'960, consume_goal);
    add("both", Kind::both, usual_window, small, 12'288, both_goal);
  }
  return all;
}

Contest contest_of(const Case& what, swapmq::live::RabbitmqOptions options) {
  options.queue_type = what.queue_type;
  const Link::Place place = options;
  options.more = R"("publish_window":)" + std::to_string(what.window);
  const auto library =
      std::make_shared<swapmq::MessageQueue>(open_library("rabbitmq", options.json()));
  return {
      .name = what.name,
      .goal = what.goal,
      .traffic = traffic(what.kind),
      .messages = what.messages,
      .library = [what, library] { return ours(what, *library); },
      .raw = raw(what, place),
      .body = what.body,
      .each_timed = what.kind == Kind::single,
  };
}

} // namespace bench

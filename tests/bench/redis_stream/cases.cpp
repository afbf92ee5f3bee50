// SPDX-License-Identifier: MIT
#include "cases.h"

#include "../broker/library.h"
#include "raw.h"

namespace bench {
namespace {

using Kind = Case::Kind;

constexpr std::size_t publishing_threads = 32;
constexpr double ceiling_goal = 0.55;

constexpr Case cases[] = {
    {"publish_64", Kind::batches, 64, 16'384, 0.93},
    {"publish_256", Kind::batches, 256, 32'768, 0.93},
    {"publish_1024", Kind::batches, 1024, 32'768, 0.93},
    {"consume_64", Kind::handler, 64, 32'768, 0.95},
    {"consume_256", Kind::handler, 256, 32'768, 0.95},
    {"consume_1024", Kind::handler, 1024, 32'768, 0.95},
    {"publish_async", Kind::async, 0, 65'536, 0.85},
    {"publish_32_threads", Kind::threads, 256, 32'768, 0.28},
    {"publish_one", Kind::single, 1, 2'000, 0.91},
};

std::unique_ptr<Contender> ours(const Case& what, swapmq::MessageQueue& mq) {
  switch (what.kind) {
    case Kind::handler:
      // An exchange is made when half of the prefetch is settled.
      return library_handler(mq, static_cast<std::uint32_t>(2 * what.batch));
    case Kind::async:
      return library_async(mq);
    case Kind::threads:
      return library_threads(mq, publishing_threads);
    case Kind::single:
      return library_single(mq);
    default:
      return library_batches(mq, what.batch);
  }
}

std::vector<RawVariant> raw(const Case& what, std::uint16_t port) {
  switch (what.kind) {
    case Kind::handler:
      return raw_consuming(port, what.batch);
    case Kind::async:
      return raw_windows(port);
    case Kind::single:
      return raw_single(port);
    default:
      return raw_publishing(port, what.batch);
  }
}

} // namespace

std::span<const Case> all_cases() { return cases; }

Contest contest_of(const Case& what, std::uint16_t port, swapmq::MessageQueue& library) {
  const bool threads = what.kind == Kind::threads;
  return {
      .name = std::string(what.name),
      .goal = what.goal,
      .traffic = what.kind == Kind::handler ? Traffic::consumes : Traffic::publishes,
      .messages = what.messages,
      .library = [&what, &library] { return ours(what, library); },
      .raw = raw(what, port),
      .each_timed = what.kind == Kind::single,
      .threads = threads ? publishing_threads : 0,
      .ceiling_goal = threads ? ceiling_goal : 0,
  };
}

} // namespace bench

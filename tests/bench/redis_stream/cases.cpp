// SPDX-License-Identifier: MIT
#include "cases.h"

#include <algorithm>

#include "measure.h"
#include "raw.h"

namespace bench {
namespace {

using Kind = Case::Kind;
using Progress = std::function<void(const std::string&)>;

constexpr std::size_t publishing_threads = 32;
constexpr double ceiling_goal = 0.55;
constexpr std::size_t trials = 7; ///< of each variant, where there are several

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
      return library_handler(mq, what.batch);
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

/// The variant that is the fastest here and now.
const RawVariant& fastest(const std::vector<RawVariant>& variants, Traffic traffic, Course& course,
                          std::size_t repetitions) {
  if (variants.size() == 1) return variants.front();
  std::vector<std::unique_ptr<Contender>> made;
  std::vector<Entrant> entrants;
  for (const RawVariant& variant : variants) {
    made.push_back(variant.make());
    entrants.push_back({variant.label, made.back().get(), traffic});
  }
  course.run(entrants, repetitions);
  std::size_t best = 0;
  for (std::size_t i = 1; i < entrants.size(); ++i) {
    if (median(entrants[i].samples.rate) > median(entrants[best].samples.rate)) best = i;
  }
  return variants[best];
}

/// The medians of ours, raw and raw again.
void fill(Result& result, const std::vector<Entrant>& entrants) {
  const Samples &ours = entrants[0].samples, &raw = entrants[1].samples,
                &again = entrants[2].samples;
  const auto both = [](std::vector<double> values, const std::vector<double>& more) {
    values.insert(values.end(), more.begin(), more.end());
    return median(std::move(values));
  };
  result.ours_cpu_us = median(ours.cpu_us);
  result.raw_cpu_us = both(raw.cpu_us, again.cpu_us);
  if (!ours.p50_us.empty()) {
    result.ours = median(ours.p50_us);
    result.raw = both(raw.p50_us, again.p50_us);
    result.ratio = result.raw / result.ours;
    result.raw_again = median(raw.p50_us) / median(again.p50_us);
    result.tail = {median(ours.p99_us), both(raw.p99_us, again.p99_us)};
  } else {
    result.ours = median(ours.rate);
    result.raw = both(raw.rate, again.rate);
    result.ratio = result.ours / result.raw;
    result.raw_again = median(again.rate) / median(raw.rate);
  }
}

} // namespace

std::span<const Case> all_cases() { return cases; }

Result measure(const Case& what, const Arena& arena, const Amount& amount,
               const Progress& progress) {
  Result result{.measured = &what, .amount = amount};
  std::size_t& messages = result.amount.messages;
  if (messages == 0) messages = what.messages;
  if (what.kind == Kind::threads) { // each thread as many
    messages = (messages + publishing_threads - 1) / publishing_threads * publishing_threads;
  }
  const Traffic traffic = what.kind == Kind::handler ? Traffic::consumes : Traffic::publishes;
  Course course(arena.broker, std::string(amount.body, 'x'), messages, what.kind == Kind::single);

  const std::size_t tried = std::min(trials, amount.repetitions);
  progress("finding the fastest raw client");
  const auto variants = raw(what, arena.port);
  const RawVariant& variant = fastest(variants, traffic, course, tried);
  result.raw_variant = variant.label;
  const auto library = ours(what, arena.library), first = variant.make(), again = variant.make();
  std::vector<Entrant> entrants{{"swapmq", library.get(), traffic},
                                {"raw", first.get(), traffic},
                                {"raw again", again.get(), traffic}};
  std::unique_ptr<Contender> apart, together;
  if (what.kind == Kind::threads) {
    constexpr Traffic none = Traffic::nothing;
    apart = woken_apart(publishing_threads).front().make();
    const auto ways = woken_together(publishing_threads);
    together = fastest(ways, none, course, tried).make();
    entrants.push_back({"threads woken apart", apart.get(), none});
    entrants.push_back({"threads woken together", together.get(), none});
  }
  course.run(entrants, amount.repetitions, [&](std::size_t done) {
    progress("repetition " + std::to_string(done + 1) + " of " +
             std::to_string(amount.repetitions));
  });
  fill(result, entrants);
  if (what.kind == Kind::threads) {
    const double rate = median(entrants[3].samples.rate);
    const double all = median(entrants[4].samples.rate);
    result.ceiling = {rate, result.ours / rate, ceiling_goal, all};
  }
  return result;
}

} // namespace bench

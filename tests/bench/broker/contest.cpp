// SPDX-License-Identifier: MIT
#include "contest.h"

#include <algorithm>

#include "ceiling.h"

namespace bench {
namespace {

constexpr std::size_t trials = 7; ///< of each variant, where there are several

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
  result.ours_server_cpu_us = median(ours.server_cpu_us);
  result.raw_server_cpu_us = both(raw.server_cpu_us, again.server_cpu_us);
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

/// What the contest says where nothing else is asked.
Amount settled(Amount amount, const Contest& contest) {
  if (amount.messages == 0) amount.messages = contest.messages;
  if (amount.body == 0) amount.body = contest.body;
  if (const std::size_t threads = contest.threads; threads > 0) {
    amount.messages = (amount.messages + threads - 1) / threads * threads;
  }
  return amount;
}

} // namespace

Result hold(const Contest& contest, Broker& broker, const Amount& asked,
            const std::function<void(const std::string&)>& progress) {
  const Amount amount = settled(asked, contest);
  Result result{.name = contest.name, .goal = contest.goal, .amount = amount};
  Course course(broker, std::string(amount.body, 'x'), amount.messages, contest.each_timed);

  const std::size_t tried = std::min(trials, amount.repetitions);
  progress("finding the fastest raw client");
  const RawVariant& variant = fastest(contest.raw, contest.traffic, course, tried);
  result.raw_variant = variant.label;
  const auto library = contest.library(), first = variant.make(), again = variant.make();
  std::vector<Entrant> entrants{{"swapmq", library.get(), contest.traffic},
                                {"raw", first.get(), contest.traffic},
                                {"raw again", again.get(), contest.traffic}};
  std::unique_ptr<Contender> apart, together;
  if (contest.threads > 0) {
    constexpr Traffic none = Traffic::nothing;
    apart = woken_apart(contest.threads).front().make();
    const auto ways = woken_together(contest.threads);
    together = fastest(ways, none, course, tried).make();
    entrants.push_back({"threads woken apart", apart.get(), none});
    entrants.push_back({"threads woken together", together.get(), none});
  }
  course.run(entrants, amount.repetitions, [&](std::size_t done) {
    progress("repetition " + std::to_string(done + 1) + " of " +
             std::to_string(amount.repetitions));
  });
  fill(result, entrants);
  if (contest.threads > 0) {
    const double rate = median(entrants[3].samples.rate);
    const double all = median(entrants[4].samples.rate);
    result.ceiling = {rate, result.ours / rate, contest.ceiling_goal, all};
  }
  return result;
}

} // namespace bench

// SPDX-License-Identifier: MIT
#include "measure.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "ids.h"

namespace bench {
namespace {

/// That all threads of a process have used.
double cpu_seconds(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) {
    throw std::runtime_error("the server is gone");
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double microseconds_at(std::span<std::uint32_t> nanoseconds, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(nanoseconds.size() - 1));
  const auto place = nanoseconds.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(nanoseconds.begin(), place, nanoseconds.end());
  return *place / 1e3;
}

std::vector<Id> make_ids(std::size_t count) {
  IdGenerator generator;
  std::vector<Id> ids(count);
  for (Id& id : ids) generator.make(id, unix_ms());
  return ids;
}

/// By memory: ids made at one time differ late.
void sort(std::vector<Id>& ids) {
  std::ranges::sort(ids, [](const Id& a, const Id& b) { return text(a) < text(b); });
}

} // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Course::Course(Broker& broker, std::string body, std::size_t messages, bool each_timed)
    : broker_(broker),
      body_(std::move(body)),
      messages_(messages),
      ids_(messages + 1),
      consumed_(messages + 1),
      nanoseconds_(each_timed ? messages : 0) {}

void Course::run(std::vector<Entrant>& entrants, std::size_t repetitions,
                 const std::function<void(std::size_t)>& progress) {
  for (Entrant& entrant : entrants) repeat(entrant); // what happens once, has happened
  for (Entrant& entrant : entrants) entrant.samples = {};
  std::vector<Entrant*> order;
  for (Entrant& entrant : entrants) order.push_back(&entrant);
  for (std::size_t done = 0; done < repetitions; ++done) {
    if (progress) progress(done);
    for (Entrant* entrant : order) repeat(*entrant);
    // Everybody comes after everybody: what one leaves behind is in nobody's way more often.
    std::next_permutation(order.begin(), order.end());
  }
}

void Course::repeat(Entrant& entrant) {
  const std::string queue = "bench-" + std::to_string(++queues_);
  std::ranges::fill(ids_, Id{});
  std::ranges::fill(consumed_, Id{});
  std::span<Id> ids = ids_;
  std::vector<Id> filled;
  if (entrant.traffic == Traffic::consumes) {
    ids = ids.subspan(1); // none is done before
    filled = make_ids(messages_);
    broker_.fill(queue, body_, filled);
  }
  const Task task{queue, body_, ids, consumed_, nanoseconds_};
  entrant.contender->prepare(task);

  const double server_cpu_before = cpu_seconds(broker_.server());
  const double cpu_before = cpu_seconds(getpid());
  const auto start = std::chrono::steady_clock::now();
  entrant.contender->run(task);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu = cpu_seconds(getpid()) - cpu_before;
  const double server_cpu = cpu_seconds(broker_.server()) - server_cpu_before;

  const auto count = static_cast<double>(messages_);
  entrant.samples.rate.push_back(count / took.count());
  entrant.samples.cpu_us.push_back(cpu / count * 1e6);
  entrant.samples.server_cpu_us.push_back(server_cpu / count * 1e6);
  if (!nanoseconds_.empty()) {
    entrant.samples.p50_us.push_back(microseconds_at(nanoseconds_, 0.50));
    entrant.samples.p99_us.push_back(microseconds_at(nanoseconds_, 0.99));
  }
  check(entrant, task, std::move(filled));
  broker_.clear(queue);
}

void Course::check(const Entrant& entrant, const Task& task, std::vector<Id> filled) {
  if (entrant.traffic == Traffic::nothing) return;
  std::vector<Id> done(task.ids.begin(), task.ids.end()), there;
  std::string_view differ;
  switch (entrant.traffic) {
    case Traffic::publishes:
      there = broker_.ids(task.queue, task.body);
      differ = ": the ids in the queue are not those published";
      break;
    case Traffic::both:
      there.assign(task.consumed.begin(), task.consumed.end());
      differ = ": the ids consumed are not those published";
      break;
    default:
      there = std::move(filled);
      differ = ": the ids consumed are not those in the queue";
  }
  sort(there);
  sort(done);
  if (std::ranges::adjacent_find(done) != done.end()) {
    throw VoidRun(entrant.name + ": an id is there twice, or missing");
  }
  if (done != there) throw VoidRun(entrant.name + std::string(differ));
  const std::size_t left = entrant.traffic == Traffic::publishes ? 0 : broker_.left(task.queue);
  if (left > 0) throw VoidRun(entrant.name + ": " + std::to_string(left) + " are not settled");
}

} // namespace bench

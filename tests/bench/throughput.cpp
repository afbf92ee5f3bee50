// SPDX-License-Identifier: MIT
//
// Messages a second through the library, beside the raw means of the same store in the same run.
// The contenders take turns in short rounds, since a machine's speed drifts; each figure is the
// median of the rounds, and raw is measured against itself to show what the noise is.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "contenders.h"

namespace {

using bench::Consuming;
using bench::Contender;

struct Shape {
  const char* label;
  std::size_t batch, threads;
};

struct Rates {
  std::vector<double> publish, consume;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(Contender& contender, const Shape& shape, std::size_t count, Consuming how,
             Rates& rates) {
  using Clock = std::chrono::steady_clock;
  const auto rate = [count](Clock::time_point from, Clock::time_point to) {
    return static_cast<double>(count) / std::chrono::duration<double>(to - from).count();
  };
  const auto start = Clock::now();
  contender.publish(count, shape.batch, shape.threads);
  const auto published = Clock::now();
  contender.consume(count, shape.batch, how);
  const auto consumed = Clock::now();
  rates.publish.push_back(rate(start, published));
  rates.consume.push_back(rate(published, consumed));
}

void print(const char* store, const Shape& shape, const char* what, const std::vector<double>& raw,
           const std::vector<double>& again, const std::vector<double>& library) {
  std::vector<double> ratio, noise;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    ratio.push_back(library[i] / raw[i]);
    noise.push_back(again[i] / raw[i]);
  }
  std::printf("%-7s %-22s %-8s %12.0f %12.0f %8.3f %10.3f\n", store, shape.label, what, median(raw),
              median(library), median(ratio), median(noise));
}

void compare(const char* store, Contender& raw, Contender& library, const Shape& shape,
             std::size_t count, std::size_t rounds) {
  Rates first, again, pulling, handling;
  for (std::size_t round = 0; round < rounds; ++round) {
    measure(raw, shape, count, Consuming::pull, first);
    measure(library, shape, count, Consuming::pull, pulling);
    measure(library, shape, count, Consuming::handler, handling);
    measure(raw, shape, count, Consuming::pull, again);
  }
  print(store, shape, "publish", first.publish, again.publish, pulling.publish);
  print(store, shape, "pull", first.consume, again.consume, pulling.consume);
  print(store, shape, "handle", first.consume, again.consume, handling.consume);
}

std::size_t number(const char* text) {
  const long value = std::strtol(text, nullptr, 10);
  if (value > 0) return static_cast<std::size_t>(value);
  std::fprintf(stderr, "\"%s\" is not a number above 0\n", text);
  std::exit(2);
}

} // namespace

int main(int count, char** arguments) {
  std::size_t messages = 200'000;
  std::size_t rounds = 11;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--messages") == 0 && i + 1 < count) {
      messages = number(arguments[++i]);
    } else if (std::strcmp(arguments[i], "--rounds") == 0 && i + 1 < count) {
      rounds = number(arguments[++i]);
    } else {
      std::fputs("usage: swapmq_throughput [--messages N] [--rounds N]\n", stderr);
      return 2;
    }
  }
  // On a disk, not on a tmpfs: fsync is what durability costs.
  std::string folder = "swapmq-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return std::perror("mkdtemp"), 1;
  folder = std::filesystem::absolute(folder).string();
  const std::vector<Shape> shapes{{"batch 1", 1, 1},
                                  {"batch 64", 64, 1},
                                  {"batch 1024", 1024, 1},
                                  {"batch 1, 8 threads", 1, 8}};
  std::printf("64-byte messages a second, medians of %zu rounds\n", rounds);
  std::printf("%-7s %-22s %-8s %12s %12s %8s %10s\n", "store", "shape", "does", "raw", "swapmq",
              "ratio", "raw/raw");
  int status = 0;
  try {
    const auto deque = bench::raw_deque();
    const auto memory = bench::library("memory", folder);
    for (const Shape& shape : shapes) compare("memory", *deque, *memory, shape, messages, rounds);
    const auto raw = bench::raw_sqlite(folder);
    const auto sqlite = bench::library("sqlite", folder);
    for (const Shape& shape : shapes) {
      // A batch of one costs an fsync a message.
      const std::size_t fewer = std::max<std::size_t>(
          shape.batch == 1 ? messages / 200 : messages / 4, shape.threads * 8);
      compare("sqlite", *raw, *sqlite, shape, fewer, rounds);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "swapmq_throughput: %s\n", failure.what());
    status = 1;
  }
  std::filesystem::remove_all(folder);
  return status;
}

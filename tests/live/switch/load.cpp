// SPDX-License-Identifier: MIT
#include "load.hpp"

#include <algorithm>
#include <numeric>

namespace switch_test {

Load::Load(const Host& host, const std::string& mode, int prefetch) {
  for (int n = 0; n < consumers; ++n) {
    consumers_.push_back(host.recorder("consumer-" + std::to_string(n)));
    consumers_.back()->tell("consume tasks " + mode + " " + std::to_string(prefetch / consumers) +
                            " 1");
  }
  for (int n = 0; n < publishers; ++n) {
    publishers_.push_back(host.recorder("publisher-" + std::to_string(n)));
  }
}

void Load::publish(std::chrono::microseconds pace, int size) {
  tell(publishers_, "pace " + std::to_string(pace.count()));
  for (std::size_t n = 0; n < publishers_.size(); ++n) {
    publishers_[n]->tell("publish tasks p" + std::to_string(n) + " 0 0 " + std::to_string(size));
  }
}

void Load::end() {
  for (Recorders* recorders : {&publishers_, &consumers_}) {
    for (const auto& one : *recorders) one->end();
    recorders->clear();
  }
}

std::vector<std::uint64_t> Load::published() const {
  std::vector<std::uint64_t> published;
  for (const auto& one : publishers_) published.push_back(one->counts().published);
  return published;
}

std::uint64_t Load::all_published() const {
  const auto each = published();
  return std::accumulate(each.begin(), each.end(), std::uint64_t{0});
}

std::uint64_t Load::all_handled() const {
  std::uint64_t all = 0;
  for (const auto& one : consumers_) all += one->counts().handled;
  return all;
}

milliseconds Load::longest_gap() const {
  milliseconds longest{0};
  for (const auto& one : publishers_) {
    longest = std::max(longest, milliseconds(std::stol(one->tell("longest_gap"))));
  }
  return longest;
}

} // namespace switch_test

// SPDX-License-Identifier: MIT
//
// Random operations. Most come by weight; some of the steps go where few have been, so that each
// pair of consecutive operations is reached in every run and not only by luck.
#pragma once

#include <functional>

#include "coverage.h"
#include "random.h"
#include "rules.h"

namespace swapmq::differential {

class Generator {
 public:
  Generator(std::uint64_t seed, const Powers& powers) : random_(seed), powers_(powers) {}

  /// The next one that is applicable.
  Operation next(const Coverage& coverage, const std::function<bool(const Operation&)>& applicable);

 private:
  Kind by_weight();
  /// Now and then, one that has rarely come after the last operation.
  bool rare(const Coverage& coverage, Kind& kind);
  Operation of_kind(Kind kind);

  Random random_;
  const Powers& powers_;
};

} // namespace swapmq::differential

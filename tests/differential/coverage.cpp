// SPDX-License-Identifier: MIT
#include "coverage.h"

namespace swapmq::differential {

void Coverage::operation(Kind kind) {
  ++operations_;
  if (has_before_) ++pairs_[static_cast<std::size_t>(before_)][static_cast<std::size_t>(kind)];
  before_ = kind;
  has_before_ = true;
}

} // namespace swapmq::differential

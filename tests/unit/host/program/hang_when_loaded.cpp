// SPDX-License-Identifier: MIT
//
// What is linked with this does not come back from being loaded.
#include <unistd.h>

namespace {

[[gnu::constructor]] void hang() {
  for (;;) ::pause();
}

} // namespace

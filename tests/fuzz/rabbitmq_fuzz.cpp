// SPDX-License-Identifier: MIT
//
// libFuzzer's entry.
#include <cstddef>
#include <cstdint>

#include "rabbitmq_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swapmq::fuzz::try_rabbitmq({reinterpret_cast<const char*>(data), size});
  return 0;
}

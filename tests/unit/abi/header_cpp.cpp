// SPDX-License-Identifier: MIT
//
// The C header as C++, before any other; layout.h includes it again.
#include <type_traits>

#include "layout.h"
#include "swapmq/backend.h"

// What crosses the ABI is copied with memcpy.
static_assert(std::is_standard_layout<swapmq_message>::value, "");
static_assert(std::is_trivial<swapmq_batch>::value, "");
static_assert(std::is_trivial<swapmq_backend_vtable>::value, "");

bool swapmq_test_has_field(const swapmq_backend_vtable* vtable);
bool swapmq_test_has_field(const swapmq_backend_vtable* vtable) {
  return SWAPMQ_HAS_FIELD(swapmq_backend_vtable, vtable, extension) &&
         vtable->abi_version == SWAPMQ_ABI_VERSION;
}

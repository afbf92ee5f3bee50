/* SPDX-License-Identifier: MIT
 *
 * All types and constants of backend.h, and the constants of swapmq.h, where abidw finds them: in
 * the functions of a library. The types are those that tests/unit/abi/layout.inc lists. */
#include "swapmq/backend.h"
#include "swapmq/swapmq.h"

#define SHOWN __attribute__((visibility("default")))

/* One enum for each: of two that are equal abidiff would not see which is which. */
#define CONSTANT(name)                         \
  enum value_of_##name{is_##name = (name)};    \
  SHOWN void abi_##name(enum value_of_##name); \
  SHOWN void abi_##name(enum value_of_##name value) { (void)value; }
#include "constants.inc" /* all numbers that the headers define; made by CMake */

#define SIZE(type, bytes)                 \
  SHOWN void abi_##type(const type* one); \
  SHOWN void abi_##type(const type* one) { (void)one; }
#define AT(type, field, offset)
#include <layout.inc>

const swapmq_backend_vtable* swapmq_backend_entry(uint32_t host_abi, swapmq_error* error) {
  (void)host_abi;
  (void)error;
  return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * The header as C, before any other; layout.h includes it again. */
#include "layout.h"
#include "swapmq/backend.h"

/* Every macro is usable. */
uint32_t swapmq_test_has_field(const swapmq_backend_vtable* vtable);
uint32_t swapmq_test_has_field(const swapmq_backend_vtable* vtable) {
  const swapmq_backend_entry_fn entry = &swapmq_backend_entry;
  swapmq_error error = {sizeof(swapmq_error), SWAPMQ_STATUS_UNTOUCHED, 0, 0, 0, 0, NULL};
  error.flags = SWAPMQ_ERROR_RETRYABLE | SWAPMQ_ERROR_SESSION_DEAD;
  return SWAPMQ_HAS_FIELD(swapmq_backend_vtable, vtable, extension) &&
         entry(SWAPMQ_ABI_VERSION, &error) == vtable;
}

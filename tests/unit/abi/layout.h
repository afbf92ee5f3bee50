/* SPDX-License-Identifier: MIT
 *
 * Checks layout.inc at compile time, in whatever language includes it. */
#include "swapmq/backend.h"

#if defined(__cplusplus)
#define PINNED(condition) static_assert(condition, #condition)
#elif __STDC_VERSION__ >= 201112L
#define PINNED(condition) _Static_assert(condition, #condition)
#else /* C99 has none: an array of size -1 does not compile */
#define PINNED(condition) extern char swapmq_pinned[(condition) ? 1 : -1]
#endif

#if UINTPTR_MAX == UINT64_MAX
#define SIZE(type, bytes) PINNED(sizeof(type) == (bytes));
#define AT(type, field, offset) PINNED(offsetof(type, field) == (offset));
#include "layout.inc"
#endif

PINNED(SWAPMQ_ABI_MAJOR_OF(SWAPMQ_ABI_MAKE(3, 7)) == 3);
PINNED(SWAPMQ_ABI_MINOR_OF(SWAPMQ_ABI_MAKE(3, 7)) == 7);
PINNED(SWAPMQ_ABI_VERSION == SWAPMQ_ABI_MAKE(0, 2));
PINNED(SWAPMQ_INTERNAL == SWAPMQ_STATUS_COUNT - 1);
PINNED(sizeof(swapmq_status) == 4);

/* SPDX-License-Identifier: MIT
 *
 * Compiling it as C99 is the test, and that it stands beside the header for backends. */
#include <swapmq/backend.h>
#include <swapmq/swapmq.h>

typedef char sizes_are_those_of_the_first_version[sizeof(swapmq_mq_sent) == 268 ? 1 : -1];

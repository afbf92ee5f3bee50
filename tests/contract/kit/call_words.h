// SPDX-License-Identifier: MIT
//
// Calls of the vtable in words, for reports: their telling arguments, and what came of them. What a
// test passes may be wrong on purpose: nothing is read that its sizes do not allow.
#pragma once

#include <string>
#include <string_view>

#include "swapmq/backend.h"

namespace swapmq::contract::words {

/// "700 ms" from now, or "no wait".
std::string until(std::int64_t deadline_ns);
/// In quotes, printable; the beginning of what is long.
std::string quoted(swapmq_bytes text);
std::string counted(std::uint64_t count, const char* what); ///< "1 message", "2 messages"

std::string of_role(std::int32_t role);
std::string of_spec(const swapmq_queue_spec* spec); ///< ", strict, max_length 5", or nothing
std::string of_publish(const swapmq_publish_args* args);
std::string of_subscribe(const swapmq_subscribe_args* args);
std::string of_exchange(const swapmq_exchange_args* args);

/// "OK", or "TIMEOUT, \"the broker does not answer\"".
std::string came(swapmq_status status, const swapmq_error* error);
std::string came_of_publish(
    const swapmq_publish_args* args); ///< ", 3 confirmed, 1 failed (TIMEOUT)"
std::string came_of_settlements(const swapmq_exchange_args* args); ///< ", settled: OK, LOST"
/// ", 1 delivery (count 2)" or ", nothing"; `batch` is what the call has set, or NULL.
std::string came_of_batch(const swapmq_batch* batch);

} // namespace swapmq::contract::words

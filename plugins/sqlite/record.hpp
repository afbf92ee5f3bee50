// SPDX-License-Identifier: MIT
//
// A message as a row: which column holds what, and the checksum over all of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

/// Appends to `extra` what of the message has no column of its own; nothing for a plain message.
///
/// A sequence of fields: tag (1 byte), length (4 bytes, little-endian), that many bytes. A header
/// is two fields, its name and its value.
void encode_extra(const swapmq_message& message, std::string& extra);

/// The number of header fields in `extra`, or -1 if it is not well-formed.
int64_t count_headers(std::string_view extra);

/// Fills in what `extra` says; `headers` has room for count_headers() of them. The views point into
/// `extra`.
void decode_extra(std::string_view extra, swapmq_message& message, swapmq_header* headers);

/// Covers the key too, so that a row that turns up in another's place is noticed.
uint32_t checksum_of(int64_t key, std::string_view id, int64_t sent_ms, int64_t expires_ms,
                     std::string_view extra, std::string_view body);

} // namespace swapmq::sqlite

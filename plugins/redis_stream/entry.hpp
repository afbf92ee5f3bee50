// SPDX-License-Identifier: MIT
//
// A message as the fields of a stream's entry, and back. The fields are told in README.md: other
// programs read and write them, too.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "commands.hpp"
#include "reply.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

inline constexpr std::string_view kHeaderField = "header:";

/// How many arguments append_fields() appends.
std::size_t field_arguments(const swapmq_message& message);
void append_fields(Commands& out, const swapmq_message& message);

/// Where the name or the value of a field is, from a base.
struct FieldAt {
  std::size_t at, size;
};

/// What an entry holds, of which each name is followed by its value. The message points to them,
/// and into the arena. False: it is no message, and holds what could be read of it and a header
/// that says why.
bool decode(std::string_view entry_id, const char* base, std::span<const FieldAt> fields,
            Arena& arena, swapmq_message& message);
bool decode(std::string_view entry_id, const Reply& fields, Arena& arena, swapmq_message& message);

} // namespace swapmq::redis

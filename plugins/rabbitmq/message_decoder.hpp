// SPDX-License-Identifier: MIT
//
// A message of what a broker delivers, whoever published it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "message_encoder.hpp"
#include "network/arena.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

/// What a content header says.
struct Decoded {
  swapmq_message* message = nullptr; // its body is for the caller to fill in
  Returned returned;
  bool good = true; // false: it has a header SWAPMQ_UNDECODABLE_HEADER that says why
};

/// Whether the table at `at` is shallow enough to be decoded: the library does so by recursion.
bool is_shallow_table(std::string_view bytes, std::size_t at);

/// The size of the body that a content header frame announces. Throws ConnectionLost if it is none.
uint64_t body_size_of(std::string_view header_frame);

/// Views of the message point into `header_frame` and `arena`. Its id may be empty: somebody
/// else's.
Decoded decode_message(std::string_view header_frame, network::Arena& arena);

/// The property message_id of a content header; empty if it has none.
std::string_view message_id_of(std::string_view header_frame);

} // namespace swapmq::rabbitmq

// SPDX-License-Identifier: MIT
//
// Showing what is ready, and changing nothing.
#pragma once

#include <memory>
#include <string_view>

#include "database.hpp"
#include "message_batch.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

/// Null: none is ready. Throws CORRUPT where a message is damaged.
std::unique_ptr<MessageBatch> peek(Database& database, std::string_view queue,
                                   const backend::PeekArgs& args);

} // namespace swapmq::sqlite

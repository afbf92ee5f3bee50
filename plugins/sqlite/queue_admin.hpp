// SPDX-License-Identifier: MIT
//
// Operations on whole queues, each in one transaction of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "database.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

void create_queue(Database& database, std::string_view name, uint64_t max_length);
void delete_queue(Database& database, std::string_view name);
/// Removes what is ready or delayed; returns how many.
uint64_t purge_queue(Database& database, std::string_view name);
void read_queue_stats(Database& database, std::string_view name, swapmq_queue_stats& stats);
/// In byte order.
std::vector<std::string> list_queues(Database& database);

} // namespace swapmq::sqlite

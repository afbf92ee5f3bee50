// SPDX-License-Identifier: MIT
#pragma once

#include "contest.h"

namespace bench {

/// One line of JSON.
void print_json(const Result& result);
/// A table of one result a line, its head before the first.
void print_head(const Amount& amount);
void print_row(const Result& result);

} // namespace bench

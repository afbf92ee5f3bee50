// SPDX-License-Identifier: MIT
//
// Asking before something is destroyed.
#pragma once

#include <string>

namespace swapmq::host {

enum class Answer { yes, no, interrupted, cannot_ask };

/// Asks the person at the terminal that standard input is, wherever our output goes. A script,
/// whose standard input is no terminal, means what it says: yes.
Answer ask(const std::string& question);

} // namespace swapmq::host

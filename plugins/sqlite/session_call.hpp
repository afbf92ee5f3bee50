// SPDX-License-Identifier: MIT
//
// What every call of a session has in common; for the session's own source files.
#pragma once

#include <utility>

#include "session.hpp"

namespace swapmq::sqlite {

template <class Body>
auto SqliteSession::call(backend::Deadline deadline, Body&& body) {
  database_.begin_call(deadline);
  try {
    return std::forward<Body>(body)();
  } catch (const backend::Failure& failure) {
    if (failure.status() == SWAPMQ_CORRUPT) {
      database_.file().mark_damaged(failure.what());
      backend_.host().log(SWAPMQ_LOG_ERROR, failure.what());
    }
    throw;
  }
}

} // namespace swapmq::sqlite

// SPDX-License-Identifier: MIT
//
// What the tests of wrong arguments have in common.
#pragma once

#include <optional>

#include "fixture.h"

namespace swapmq::contract {

/// What an output holds before a call that must not touch it.
template <class T>
T* untouched() {
  static int somewhere;
  return reinterpret_cast<T*>(&somewhere);
}

class Arguments : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("arguments");
    session_.emplace(consumer());
    queue_ = session_->queue(name_);
  }

  void TearDown() override {
    if (!HasFailure()) expect_usable();
    session_.reset();
    Contract::TearDown();
  }

  /// After all that, everything still works.
  void expect_usable() {
    fill(name_, message("usable"));
    Subscription subscription = session_->subscribe(queue_, 1);
    subscription.ack_all(subscription.receive(1));
  }

  template <class F>
  static void refused(const char* function, const char* what, F&& wrong_call) {
    ErrorProbe probe;
    const swapmq_status status = call(function, soon(), probe, std::forward<F>(wrong_call));
    EXPECT_EQ(status, SWAPMQ_INVALID_ARGUMENT)
        << function << "(), " << what << ": " << status_name(status);
  }

  std::string name_;
  std::optional<Session> session_;
  swapmq_queue* queue_ = nullptr;
};

} // namespace swapmq::contract

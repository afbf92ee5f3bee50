// SPDX-License-Identifier: MIT
//
// Errors as values. Part of swapmq.hpp, which says what holds for all of it.
#ifndef SWAPMQ_ERROR_HPP
#define SWAPMQ_ERROR_HPP

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#if defined(__GNUC__)
#define SWAPMQ_API __attribute__((visibility("default")))
#else
#define SWAPMQ_API
#endif

namespace swapmq {

enum class Errc : int {
  ok = 0,
  invalid_argument,   ///< the call is wrong; repeating it is, too
  not_supported,      ///< this backend cannot do it
  not_found,          ///< what the call is about does not exist
  conflict,           ///< it exists with other properties
  unavailable,        ///< broker unreachable or connection lost
  timeout,            ///< the deadline passed first
  interrupted,        ///< somebody ended the wait
  resource_exhausted, ///< full: a bound, memory, disk, quota
  too_large,          ///< beyond a limit of the backend
  access_denied,      ///< credentials or permissions
  corrupt,            ///< stored data is damaged
  lost,               ///< a delivery that is no longer ours to settle
  internal,           ///< a defect in the plugin or in swapmq
  config,             ///< the configuration is wrong
  plugin,             ///< the plugin cannot be found, loaded or trusted
  closed,             ///< the message queue, consumer or subscription is closed
};

SWAPMQ_API std::string_view to_string(Errc code);

class Error {
 public:
  Error() = default;
  Error(Errc code, std::string message, bool retryable = false)
      : code_(code), retryable_(retryable), message_(std::move(message)) {}

  /// True if there is an error.
  explicit operator bool() const { return code_ != Errc::ok; }
  [[nodiscard]] Errc code() const { return code_; }
  /// One line (a config's errors: one line each); says what, where, and what to do. No secrets.
  [[nodiscard]] const std::string& message() const { return message_; }
  /// Whether the same call may succeed later.
  [[nodiscard]] bool retryable() const { return retryable_; }

 private:
  Errc code_ = Errc::ok;
  bool retryable_ = false;
  std::string message_;
};

/// What Result::value() and MessageQueue::open() throw.
class SWAPMQ_API Exception : public std::runtime_error {
 public:
  explicit Exception(Error error);
  ~Exception() override;
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// A value or an error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return held_.index() == 0; }
  T& value() & {
    check();
    return std::get<0>(held_);
  }
  /// By value, so that `for (Delivery& delivery : subscription.receive(10, 1s).value())` is safe.
  T value() && {
    check();
    return std::get<0>(std::move(held_));
  }
  [[nodiscard]] const T& value() const& {
    check();
    return std::get<0>(held_);
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T& operator*() const& { return value(); }
  /// The error; one with code ok if there is a value.
  [[nodiscard]] Error error() const { return *this ? Error() : std::get<1>(held_); }

 private:
  void check() const {
    if (held_.index() != 0) throw Exception(std::get<1>(held_));
  }
  std::variant<T, Error> held_;
};

} // namespace swapmq

#endif // SWAPMQ_ERROR_HPP

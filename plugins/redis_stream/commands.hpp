// SPDX-License-Identifier: MIT
//
// Requests in RESP, appended to one buffer that goes to the socket as it is: each payload is copied
// once.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace swapmq::redis {

/// The decimal text of a number.
class Decimal {
 public:
  template <std::integral Number>
  explicit Decimal(Number number) {
    size_ = static_cast<std::size_t>(
        std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr - text_.data());
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 24> text_; // NOLINT: written before it is read
  std::size_t size_;
};

class Commands {
 public:
  /// A command of so many arguments, its name counted; they follow.
  Commands& begin(std::size_t arguments) {
    head('*', arguments);
    return *this;
  }
  Commands& arg(std::string_view text) {
    head('$', text.size());
    buffer_.append(text);
    buffer_.append("\r\n", 2);
    return *this;
  }
  template <std::integral Number>
  Commands& arg(Number number) {
    return arg(Decimal(number).text());
  }
  /// Bytes that were encoded before.
  Commands& raw(std::string_view encoded) {
    buffer_.append(encoded);
    return *this;
  }
  /// A whole command.
  template <class... Argument>
  Commands& add(const Argument&... argument) {
    begin(sizeof...(argument));
    (arg(argument), ...);
    return *this;
  }

  [[nodiscard]] std::string& buffer() { return buffer_; }
  [[nodiscard]] const std::string& buffer() const { return buffer_; }

 private:
  void head(char kind, std::size_t number) {
    std::array<char, 24> text; // NOLINT: written before it is read
    text[0] = kind;
    char* end = std::to_chars(text.data() + 1, text.data() + 22, number).ptr;
    *end++ = '\r';
    *end++ = '\n';
    buffer_.append(text.data(), static_cast<std::size_t>(end - text.data()));
  }
  std::string buffer_;
};

} // namespace swapmq::redis

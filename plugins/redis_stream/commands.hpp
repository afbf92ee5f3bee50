// SPDX-License-Identifier: MIT
//
// Requests in RESP, appended to one buffer that goes to the socket as it is: each payload is copied
// once.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
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
    size_ = at(head(room(kHead), '*', arguments));
    return *this;
  }
  Commands& arg(std::string_view text) {
    char* end = head(room(text.size() + kHead + 2), '$', text.size());
    end = put(end, text);
    size_ = at(put(end, "\r\n"));
    return *this;
  }
  template <std::integral Number>
  Commands& arg(Number number) {
    return arg(Decimal(number).text());
  }
  /// Bytes that were encoded before.
  Commands& raw(std::string_view encoded) {
    size_ = at(put(room(encoded.size()), encoded));
    return *this;
  }
  /// What stands there already, once more.
  Commands& again(std::size_t from, std::size_t size) {
    char* to = room(size); // which may move it
    std::memcpy(to, buffer_.get() + from, size);
    size_ += size;
    return *this;
  }
  /// A whole command.
  template <class... Argument>
  Commands& add(const Argument&... argument) {
    begin(sizeof...(argument));
    (arg(argument), ...);
    return *this;
  }

  [[nodiscard]] std::string_view bytes() const { return {buffer_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Forgets them all; memory beyond `keep` bytes is given back.
  void clear(std::size_t keep) {
    size_ = 0;
    if (capacity_ <= keep) return;
    buffer_.reset();
    capacity_ = 0;
  }

 private:
  static constexpr std::size_t kHead = 24; // a kind, a number and a line's end

  /// Where so many bytes may be written.
  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return buffer_.get() + size_;
  }
  void grow(std::size_t bytes) {
    const std::size_t capacity = std::max({size_ + bytes, 2 * capacity_, std::size_t{4096}});
    // Not std::string: it would fill with zeros what is written to right after.
    std::unique_ptr<char[]> larger(new char[capacity]);
    if (size_ > 0) std::memcpy(larger.get(), buffer_.get(), size_);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }
  [[nodiscard]] std::size_t at(const char* end) const {
    return static_cast<std::size_t>(end - buffer_.get());
  }
  static char* put(char* to, std::string_view text) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }
  static char* head(char* to, char kind, std::size_t number) {
    *to++ = kind;
    if (number < 10) {
      *to++ = static_cast<char>('0' + number);
    } else if (number < 100) {
      *to++ = static_cast<char>('0' + number / 10);
      *to++ = static_cast<char>('0' + number % 10);
    } else {
      to = std::to_chars(to, to + kHead - 3, number).ptr;
    }
    *to++ = '\r';
    *to++ = '\n';
    return to;
  }

  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace swapmq::redis

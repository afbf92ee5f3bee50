// SPDX-License-Identifier: MIT
//
// A raw client's connection: a blocking socket, and replies read where they arrived, without
// allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bench {

class Connection {
 public:
  explicit Connection(std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes);
  /// Waits for one byte at least.
  std::size_t receive(char* to, std::size_t most);
  /// Sleeps until so many bytes are there: fewer wake-ups where a minimum is known.
  void await(std::size_t bytes);

 private:
  void set_low_water(std::size_t bytes);

  int socket_;
};

/// Takes replies apart as they come in. Views live until the next call. An error reply throws.
class Replies {
 public:
  explicit Replies(Connection& from) : from_(from), buffer_(256 * 1024) {}

  /// Skips replies that are bulk strings, as XADD's, and integers.
  void skip(std::size_t count);
  /// A bulk string; an integer's digits.
  std::string_view text();
  /// The number of elements that follow; -1: nil.
  std::int64_t array();
  std::int64_t integer();

 private:
  std::string_view line(char& kind);
  void read_more();
  [[nodiscard]] std::size_t buffered() const { return end_ - begin_; }

  Connection& from_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

} // namespace bench

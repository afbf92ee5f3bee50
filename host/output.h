// SPDX-License-Identifier: MIT
//
// Bytes to a descriptor, knowing how many arrived.
#pragma once

#include <cstddef>
#include <string_view>

namespace swapmq::host {

class Output {
 public:
  enum class End {
    written,
    reader_gone, ///< a pipe or socket without a reader
    failed,      ///< see error()
    interrupted, ///< the reader did not take it, and an interruption was asked for
  };

  explicit Output(int fd);

  /// Writes all of it, or says why not. `taken` says how many bytes arrived.
  End write(std::string_view bytes, std::size_t& taken);
  /// Has the disk hold what was written, where it is a file.
  End sync();
  /// Whether the reader of a pipe has left.
  [[nodiscard]] bool reader_gone() const;
  /// Takes the last `bytes` back, so that a file never ends within a message. Of a file alone, and
  /// only where nobody wrote behind it.
  void take_back(std::size_t bytes);
  /// Why the last call failed, e.g. "No space left on device".
  [[nodiscard]] const char* error() const;

 private:
  End end_of_error(int error);

  const int fd_;
  bool is_file_ = false;
  int error_ = 0;
};

/// Writes text to standard output. False: it could not, and said why on standard error.
bool print_out(std::string_view text);
/// Writes to standard error, as well as that can be done.
void print_err(std::string_view text);
/// Whether standard error is a terminal.
bool stderr_is_terminal();

} // namespace swapmq::host

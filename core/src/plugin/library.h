// SPDX-License-Identifier: MIT
//
// A mapped shared object: a private, sealed copy of the bytes that were read and verified, mapped
// from there. The file it came from may be replaced, overwritten or removed afterwards without any
// effect; a new build under the same name loads beside the old. Never unmapped.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "plugin/unique_fd.h"
#include "swapmq/backend.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::plugin {

/// Bytes nobody can change any more: a sealed memfd, mapped for reading.
class SealedCopy {
 public:
  /// Reads all of `file` once. `name` is what debuggers show of it.
  static Result<std::unique_ptr<SealedCopy>> read(int file, const std::string& name);
  ~SealedCopy();
  SealedCopy(const SealedCopy&) = delete;
  SealedCopy& operator=(const SealedCopy&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  /// Valid in this process as long as this lives; with its pid, so that a debugger finds it too.
  [[nodiscard]] std::string path() const;
  /// Its position is nobody's: read it with one of your own.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  /// Takes another number, and so another path.
  Error renumber();

 private:
  SealedCopy(UniqueFd fd, std::span<const std::byte> bytes) : fd_(std::move(fd)), bytes_(bytes) {}

  UniqueFd fd_;
  std::span<const std::byte> bytes_;
};

class Library {
 public:
  /// Maps these bytes, or gives the library that is mapped from the same ones. [any-thread]
  static Result<std::shared_ptr<const Library>> map(std::unique_ptr<SealedCopy> copy);
  /// Whether these bytes are mapped already. [any-thread]
  static bool is_mapped(const SealedCopy& copy);
  virtual ~Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] swapmq_backend_entry_fn entry() const { return entry_; }
  /// What it was mapped from.
  [[nodiscard]] virtual const SealedCopy& image() const = 0;

 protected:
  Library() = default;
  swapmq_backend_entry_fn entry_ = nullptr;
};

} // namespace swapmq::plugin

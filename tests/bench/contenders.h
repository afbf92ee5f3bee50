// SPDX-License-Identifier: MIT
//
// What is measured against what: a way to publish and a way to consume, with the broker's own raw
// means or through the library.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace bench {

/// How an application gets its messages, where there is a choice: it asks for them, or they are
/// brought to its handler.
enum class Consuming { pull, handler };

/// One line of messages of 64 bytes. Both functions return when all is done, and throw if it is
/// not.
class Contender {
 public:
  virtual ~Contender() = default;
  /// `threads` callers publish `count` messages together, `batch` a call.
  virtual void publish(std::size_t count, std::size_t batch, std::size_t threads) = 0;
  /// Receives and acks `count` messages, at most `batch` at a time.
  virtual void consume(std::size_t count, std::size_t batch, Consuming how) = 0;
};

/// A mutex and a deque of strings.
std::unique_ptr<Contender> raw_deque();
/// SQLite by itself: WAL, synchronous FULL, one transaction a batch.
std::unique_ptr<Contender> raw_sqlite(const std::string& folder);
/// The library on one of its embedded backends.
std::unique_ptr<Contender> library(const std::string& backend, const std::string& folder);

/// 64 bytes.
const std::string& body();
/// Splits `count` over threads and runs `publish_some(share)` on each.
void on_threads(std::size_t count, std::size_t threads,
                const std::function<void(std::size_t share)>& publish_some);

} // namespace bench

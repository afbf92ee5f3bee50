// SPDX-License-Identifier: MIT
//
// One side of a comparison: the library, or a raw client in one of its variants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bench {

/// A message id as the library makes them: a UUIDv7.
using Id = std::array<char, 36>;

inline std::string_view text(const Id& id) { return {id.data(), id.size()}; }

/// What is no id of ours leaves an empty one, which is missed when ids are compared.
inline void keep(Id& id, std::string_view value) {
  if (value.size() == id.size()) std::memcpy(id.data(), value.data(), id.size());
}

/// What is to be done in one repetition. The memory is touched before, and checked after.
struct Task {
  std::string_view queue; ///< used in this repetition only
  std::string_view body;
  std::span<Id> ids;      ///< to fill: of what was published or consumed, in any order
  std::span<Id> consumed; ///< to fill, where both is done: `ids` are of what was published then
  /// To fill, where each message is timed by itself: one for each that run() publishes.
  std::span<std::uint32_t> nanoseconds;
};

/// Every function throws std::exception if not all of the task was done.
class Contender {
 public:
  Contender() = default;
  virtual ~Contender() = default;
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  /// Not measured: does the first message of a task that publishes, so that run() finds everything
  /// connected and the queue known.
  virtual void prepare(const Task& task) = 0;
  /// Measured: all that prepare() left.
  virtual void run(const Task& task) = 0;
};

/// Where it is not plain what is fastest, raw has several.
struct RawVariant {
  std::string label;
  std::function<std::unique_ptr<Contender>()> make; ///< each with a connection of its own
};

} // namespace bench

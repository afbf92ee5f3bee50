// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "queue/bell.h"
#include "queue/handler_slots.h"
#include "queue/lane.h"
#include "thread_safety.h"

namespace swapmq::detail {

class Runtime;

/// What a consumer or a subscription was asked to do.
struct ConsumeRequest {
  std::string queue;
  ConsumeOptions options;
  Handler handler; ///< empty: deliveries are pulled
};

/// A consumer or a subscription: its lanes, on one side or several. Any thread, but for the
/// constructor and destructor.
class ConsumerState {
 public:
  /// Has no lanes yet. The runtime is kept as long as this lives.
  ConsumerState(std::shared_ptr<Runtime> runtime, ConsumeRequest request);
  ~ConsumerState();

  /// Consumes there as well from now on, unless it does already, is paused or being closed, or the
  /// side is not to be consumed from.
  void consume_from(const std::shared_ptr<queue::Side>& side) SWAPMQ_EXCLUDES(mutex_);
  /// Takes nothing more from there; what came from there is settled there.
  void leave(const queue::Side& side) SWAPMQ_EXCLUDES(mutex_);
  /// Ends those lanes of a side that were to leave and are owed nothing more. false: there are
  /// others.
  bool sweep(const queue::Side& side) SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] const std::string& queue() const { return request_.queue; }
  [[nodiscard]] bool closing() const SWAPMQ_EXCLUDES(mutex_);
  /// Settles as the config of now says.
  void follow_config() SWAPMQ_EXCLUDES(mutex_);

  /// Leaves all sides, until it is resumed. Lanes that have drained are swept as always.
  void pause() SWAPMQ_EXCLUDES(mutex_);
  void resume() SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] bool paused() const SWAPMQ_EXCLUDES(mutex_);

  Error close(milliseconds timeout) SWAPMQ_EXCLUDES(mutex_);
  void begin_close() SWAPMQ_EXCLUDES(mutex_);
  void tick() SWAPMQ_EXCLUDES(mutex_);  ///< as Lane::tick
  void serve() SWAPMQ_EXCLUDES(mutex_); ///< as Lane::serve
  [[nodiscard]] Error last_error() const SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] std::size_t in_flight() const SWAPMQ_EXCLUDES(mutex_);
  /// What came from there and has not ended: buffered and being settled as well.
  [[nodiscard]] std::size_t unsettled(const queue::Side& side) const SWAPMQ_EXCLUDES(mutex_);
  void ask(std::size_t count) SWAPMQ_EXCLUDES(mutex_);
  void on_ready(std::function<void()> ready) { bell_->set_listener(std::move(ready)); }
  Result<std::vector<Delivery>> receive(std::size_t max, milliseconds timeout)
      SWAPMQ_EXCLUDES(mutex_);

 private:
  using Lanes = std::vector<std::shared_ptr<queue::Lane>>;
  [[nodiscard]] Lanes lanes() const SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] Lanes lanes(const queue::Side& side) const SWAPMQ_EXCLUDES(mutex_);
  std::vector<Delivery> take(std::size_t max) SWAPMQ_EXCLUDES(mutex_);

  const std::shared_ptr<Runtime> runtime_; // first: the lanes use what it owns
  const ConsumeRequest request_;
  const std::shared_ptr<queue::HandlerSlots> slots_;
  const std::shared_ptr<queue::Bell> bell_; // of who pulls
  mutable Mutex mutex_;
  Lanes lanes_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t first_to_take_ SWAPMQ_GUARDED_BY(mutex_) = 0; // so that each lane has its turn
  bool closing_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool paused_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::size_t asked_ SWAPMQ_GUARDED_BY(mutex_) = 0;
};

} // namespace swapmq::detail

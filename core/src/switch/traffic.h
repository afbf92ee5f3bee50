// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "queue/backend_opener.h"
#include "queue/log.h"
#include "queue/route.h"
#include "queue/side.h"
#include "switch/member.h"

namespace swapmq::switching {

/// What a switch turns from one side to another: the publishers and consumers of a message queue.
/// Called on the switch's own thread, but for what says otherwise.
class Traffic {
 public:
  virtual ~Traffic() = default;

  /// Loads the plugin and opens the backend; nothing uses it yet. Any thread; blocks up to the
  /// config's connection timeout, and for the trial that one new to this process needs.
  virtual Result<std::shared_ptr<queue::Side>> open_side(const Member& member,
                                                         const queue::OpenTerms& terms) = 0;
  /// Keeps it alive from now on: its sessions are served while they lie idle.
  virtual void use(const std::shared_ptr<queue::Side>& side) = 0;
  /// All consumers, those to come as well, consume from there from now on.
  virtual void consume_from(const std::shared_ptr<queue::Side>& side) = 0;
  /// Nothing more is consumed from there until it is asked for again; what came from there is
  /// settled there, and what is buffered goes back.
  virtual void hold_back(const std::shared_ptr<queue::Side>& side) = 0;
  using QueueNames = std::set<std::string, std::less<>>;
  /// The queues that somebody here consumes from.
  virtual QueueNames consumed_queues() = 0;
  /// Strict order: nothing is published to queues that nobody here consumes from, until it is let
  /// go.
  virtual void hold_publishes(bool yes) = 0;
  /// Where publishes go.
  virtual queue::Route& route() = 0;
  /// Publishes go there from now on; what is under way elsewhere ends there.
  virtual void publish_to(const std::shared_ptr<queue::Side>& side) = 0;
  /// Nothing more is consumed from there; what came from there is settled there.
  virtual void leave(const std::shared_ptr<queue::Side>& side) = 0;
  /// Whether all of a side that was left has ended, our calls as well: it may be closed.
  virtual bool sweep(const std::shared_ptr<queue::Side>& side) = 0;
  /// Deliveries of that side that our consumers have and have not settled.
  virtual std::size_t unsettled(const queue::Side& side) = 0;
  /// How the config wants that queue.
  virtual swapmq_queue_spec queue_spec(std::string_view queue) = 0;
  /// Where dead letters of that queue go; empty: it collects those of others, and they stay.
  virtual std::string dead_letter_queue(std::string_view queue) = 0;
  virtual queue::Log& log() = 0;
};

} // namespace swapmq::switching

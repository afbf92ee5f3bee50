// SPDX-License-Identifier: MIT
//
// Which of the messages that were sent were answered, and how. Answers come in any order, one by
// one or for all up to a number; a message that is returned is answered all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "frames.hpp"
#include "message_decoder.hpp"

namespace swapmq::rabbitmq {

struct Sent {
  std::size_t letter; // its number in the call
  std::string_view id;
  uint64_t end; // of its frames, among all bytes of the connection
  bool done = false;
  bool returned = false;
};

class Confirms {
 public:
  /// `first_tag`: the delivery tag of the first message that will be sent.
  explicit Confirms(uint64_t first_tag) : first_tag_(first_tag) {}

  void sent(const Sent& sent) { all_.push_back(sent); }
  [[nodiscard]] std::size_t in_flight() const { return all_.size() - done_; }

  /// Takes basic.ack or basic.nack; calls done(sent, acked) for each that it answers. Throws
  /// ConnectionLost if it answers what was not asked, or within a return; of what was asked
  /// `bytes_sent` bytes went out.
  template <class Done>
  void answered(const Frame& frame, uint64_t bytes_sent, Done&& done) {
    if (is_returning()) interrupted();
    const Answer answer = read(frame);
    if (answer.multiple && answer.tag == 0 && !all_.empty()) {
      answered_up_to(all_.size() - 1, answer.acked, bytes_sent, done);
      return;
    }
    if (answer.tag < first_tag_) return; // of an earlier call, which no longer waits
    const uint64_t index = answer.tag - first_tag_;
    if (index >= all_.size()) surprised();
    if (answer.multiple) {
      answered_up_to(static_cast<std::size_t>(index), answer.acked, bytes_sent, done);
    } else {
      finish(all_[static_cast<std::size_t>(index)], answer.acked, bytes_sent, done);
    }
    while (lowest_ < all_.size() && all_[lowest_].done) ++lowest_;
  }

  /// Takes the frames of basic.return and its content, one after the other. True: this was one.
  bool take_return(const Frame& frame);

  /// Calls each(sent) for what was not answered.
  template <class Each>
  void for_each_open(Each&& each) const {
    for (std::size_t i = lowest_; i < all_.size(); ++i) {
      if (!all_[i].done) each(all_[i]);
    }
  }

 private:
  struct Answer {
    uint64_t tag;
    bool multiple;
    bool acked;
  };
  static Answer read(const Frame& frame);
  [[noreturn]] static void surprised();
  [[noreturn]] static void interrupted();
  [[nodiscard]] bool is_returning() const { return returning_ || returned_body_left_ > 0; }

  template <class Done>
  void answered_up_to(std::size_t last, bool acked, uint64_t bytes_sent, Done&& done) {
    for (; lowest_ <= last; ++lowest_) {
      if (!all_[lowest_].done) finish(all_[lowest_], acked, bytes_sent, done);
    }
  }
  template <class Done>
  void finish(Sent& sent, bool acked, uint64_t bytes_sent, Done&& done) {
    if (sent.end > bytes_sent) surprised();
    if (sent.done) return;
    sent.done = true;
    ++done_;
    done(sent, acked);
  }
  void mark_returned(std::string_view id);

  const uint64_t first_tag_;
  std::vector<Sent> all_;
  std::size_t lowest_ = 0; // all before it are done
  std::size_t done_ = 0;
  bool returning_ = false;          // the content header of a return is next
  uint64_t returned_body_left_ = 0; // and then so much of its body
};

} // namespace swapmq::rabbitmq

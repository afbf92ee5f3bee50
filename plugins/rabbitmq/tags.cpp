// SPDX-License-Identifier: MIT
#include "tags.hpp"

namespace swapmq::rabbitmq {
namespace {

constexpr uint8_t kMultiple = 1;
constexpr uint8_t kRequeue = 2;

void append(Output& out, uint16_t channel, const TagSettlement& settlement, bool multiple) {
  const bool ack = settlement.how == Settle::ack;
  const std::size_t begun = out.begin_frame(kMethodFrame, channel);
  out.u32(ack ? AMQP_BASIC_ACK_METHOD : AMQP_BASIC_NACK_METHOD).u64(settlement.tag);
  out.u8(static_cast<uint8_t>((multiple ? kMultiple : 0) | (ack ? 0 : kRequeue)));
  out.end_frame(begun);
}

} // namespace

std::size_t append_settlements(Output& out, uint16_t channel, const Tags& tags,
                               const std::vector<TagSettlement>& settlements) {
  bool all_before = true; // nothing before this one stays
  std::size_t run = 0;    // so many of the same kind wait to be settled together
  std::size_t last = 0;
  uint64_t from = tags.first();
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const TagSettlement& now = settlements[i];
    const bool gap = all_before && tags.any_left(from, now.tag);
    const bool other = run > 0 && settlements[i - 1].how != now.how;
    if (run > 0 && (gap || other)) {
      append(out, channel, settlements[i - 1], run > 1);
      run = 0;
    }
    all_before = all_before && !gap;
    from = now.tag + 1;
    if (all_before) {
      ++run;
    } else {
      append(out, channel, now, false);
      last = 1;
    }
  }
  if (run == 0) return last;
  append(out, channel, settlements.back(), run > 1);
  return run;
}

} // namespace swapmq::rabbitmq

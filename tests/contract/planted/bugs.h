// SPDX-License-Identifier: MIT
//
// The names of the bugs that the planted backend can be told to have, by its option "bug".
#pragma once

#include <array>
#include <string_view>

namespace planted {

inline constexpr std::array<std::string_view, 53> kBugs = {
    "acks_before_storing",      // confirms, stores with the session's next call
    "confirms_what_it_dropped", // every 701st message is confirmed and gone
    "length_too_long",          // a body's size says more than was published
    "cuts_at_nul",              // an id ends at its first NUL byte
    "forgets_a_field",          // correlation_id does not come back
    "ignores_strides",          // steps through messages by its own sizeof
    "batch_fails_together",     // one message too large, all failed
    "reorders_one_in_a_thousand",
    "loses_on_nack",
    "wrong_count", // counts every second nack only
    "release_counts",
    "released_goes_last",     // not back to its place
    "stale_receipt_accepted", // settling twice is OK twice
    "acks_the_wrong_one",     // of several acks in a call the last is not done
    "pends_for_ever",         // a settlement is given again and again
    "pends_and_forgets",      // and is OK when it is given again, and not done
    "pends_without_a_batch",  // once, also where nothing is handed out
    "exceeds_prefetch",
    "gives_more_than_asked", // ignores max_messages
    "delivers_twice",        // every 997th message goes to two consumers
    "loses_what_a_closer_held",
    "dead_letter_loses_headers", // the message's own are gone
    "dead_letter_keeps_both",    // a header of the same name is not replaced
    "nack_delay_ignored",
    "delivered_early", // published with a delay, delivered at once
    "ttl_ignored",
    "swallows_a_move", // takes it for the message that it had before
    "priority_ignored",
    "claims_the_latest",         // of what is delayed, instead of the earliest
    "claims_for_two",            // what is claimed can be claimed again
    "claim_ends_early",          // what is released is delivered at once
    "claim_counts",              // a released claim raises the delivery count
    "claim_forgets_the_nack",    // shows the time that it was published with
    "claim_lost_with_its_owner", // is gone when its subscription ends
    "peek_takes",                // what was shown is gone
    "peek_flags",                // the next delivery is said to be a second one
    "peek_shows_unacked",
    "purge_forgets_delayed",
    "purge_takes_unacked",
    "delivers_across_queues", // names that differ in case only are one queue
    "stats_lie",              // says exact and adds unacked to ready
    "blocks_past_timeout",
    "returns_early", // 20 ms before the deadline
    "interrupt_not_sticky",
    "interrupt_counts_twice",
    "view_dies_on_ack",
    "batch_dies_with_session",
    "leaks_descriptor",          // one for each session
    "leaks_thread",              // one for each backend
    "hangs_in_close",            // session_close while something is held
    "crashes_on_null",           // publish() without arguments
    "touches_output_on_failure", // session_open() with a role that does not exist
    "error_overruns",            // writes the terminator behind the capacity
};

/// Further ones lie about what the backend is.
inline constexpr std::array<std::string_view, 4> kLies = {
    "claims_durability",  // and sharing between processes, but forgets
    "steals_from_slow",   // a lease ends although the session is served
    "absent_but_silent",  // ttl declared absent, and ignored without a word
    "limit_not_enforced", // takes bodies beyond max_body_bytes
};

} // namespace planted

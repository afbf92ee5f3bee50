// SPDX-License-Identifier: MIT
#include "commands/publish_tally.h"

#include "quantity.h"

namespace swapmq::host {

std::string PublishTally::add(const Sent& sent, const std::string& place) {
  switch (sent.outcome()) {
    case Outcome::confirmed:
      ++confirmed_;
      return {};
    case Outcome::failed:
      ++failed_;
      break;
    case Outcome::in_doubt:
      ++in_doubt_;
      break;
  }
  const Errc code = sent.error().code();
  const bool of_one = concerns_one_message(code) || of_one_message_.contains(code);
  if (!of_one && !ended_by_) ended_by_ = code;
  return complaint(place, sent.outcome() == Outcome::failed ? "not published" : "in doubt",
                   sent.error().message());
}

std::string PublishTally::add_untried(const std::string& place, const std::string& why) {
  ++failed_;
  return complaint(place, "not published", why);
}

std::string PublishTally::add_bad_line(std::uint64_t line, const std::string& why) {
  constexpr std::uint64_t most_told = 100;
  ++failed_;
  if (++bad_lines_ > most_told) return {};
  std::string text = "swapmq: line " + std::to_string(line) + ": " + why + "\n";
  if (bad_lines_ == most_told) text += "swapmq: further bad lines are counted as failed\n";
  return text;
}

std::string PublishTally::add_too_large(const std::string& place, std::uint64_t max_size) {
  return add_untried(place, "longer than " + format_size(max_size) + "; --max-size allows more");
}

std::string PublishTally::complaint(const std::string& place, const std::string& outcome,
                                    const std::string& why) {
  constexpr std::size_t most_kinds = 20;
  if (said_.size() >= most_kinds || !said_.insert(outcome + why).second) return {};
  return "swapmq: " + place + ": " + outcome + ": " + why + "\n";
}

ExitCode PublishTally::exit_code(bool interrupted) const {
  if (interrupted) return exit_interrupted;
  if (ended_by_) {
    const ExitCode code = host::exit_code(*ended_by_);
    return code == exit_done ? exit_failed : code; // an unconfirmed message is never "done"
  }
  return failed_ + in_doubt_ > 0 ? exit_failed : exit_done;
}

} // namespace swapmq::host

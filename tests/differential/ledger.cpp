// SPDX-License-Identifier: MIT
#include "ledger.h"

namespace swapmq::differential {

void Ledger::published(unsigned queue, const contract::Message& message) {
  Note& note = notes_[message.id];
  note.queue = queue;
  note.place = {-static_cast<std::int64_t>(message.priority), ++turn_};
  note.has_place = message.due_at_ms == 0;
  if (note.has_place) ready_in_place_[queue].emplace(note.place, message.id);
}

void Ledger::delivered(const std::string& id) {
  Note& note = notes_[id];
  note.excused = false;
  ready_in_place_[note.queue].erase(note.place);
}

void Ledger::released(const std::string& id) {
  const Note& note = notes_[id];
  if (note.has_place) ready_in_place_[note.queue].emplace(note.place, id);
}

void Ledger::displaced(const std::string& id) { notes_[id].has_place = false; }

void Ledger::moved(const std::string& id, unsigned to) {
  Note& note = notes_[id];
  note = Note{};
  note.queue = to;
  note.place = {0, ++turn_};
  note.dead_letter = true;
}

void Ledger::gone(const std::string& id) { notes_.erase(id); }

std::string Ledger::next_in_place(unsigned queue) const {
  const auto& ready = ready_in_place_[queue];
  return ready.empty() ? std::string() : ready.begin()->second;
}

bool Ledger::in_place(const std::string& id) const {
  const auto found = notes_.find(id);
  if (found == notes_.end() || !found->second.has_place) return false;
  return ready_in_place_[found->second.queue].count(found->second.place) != 0;
}

bool Ledger::dead_letter(const std::string& id) const {
  const auto found = notes_.find(id);
  return found != notes_.end() && found->second.dead_letter;
}

void Ledger::excuse(const std::string& id) { notes_[id].excused = true; }

bool Ledger::excused(const std::string& id) const {
  const auto found = notes_.find(id);
  return found != notes_.end() && found->second.excused;
}

} // namespace swapmq::differential

// SPDX-License-Identifier: MIT
#include "config/group_check.h"

#include <utility>

#include "config/config.h"
#include "config/queue_name.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

/// The text of a member that is a string; null: there is none.
const Node* text_member(const Node& object, std::string_view key) {
  const Node* member = object.find(key);
  return member != nullptr && member->kind == Kind::string && !member->bad_value ? member : nullptr;
}

} // namespace

GroupCheck::GroupCheck(const Node& queues, Named named) : named_(std::move(named)) {
  for (const Node* each = queues.first_child; each != nullptr; each = each->next) {
    if (each->bad_key || each->kind != Kind::object) continue;
    if (each->find("groups") != nullptr) owners_.emplace(named_(each->key), each);
    if (const Node* dead = text_member(*each, "dead_letter_queue")) {
      dead_letter_queues_.insert(named_(dead->text));
    }
  }
}

void GroupCheck::run(Findings& out) const {
  for (const auto& [queue, listed] : owners_) {
    if (out.size() >= kMostFindings) return;
    const Node& groups = *listed->find("groups");
    if (groups.kind == Kind::array && !queue.empty()) check(queue, *listed, groups, out);
  }
}

void GroupCheck::check(std::string_view queue, const Node& listed, const Node& groups,
                       Findings& out) const {
  if (is_for_dead_letters(queue)) {
    out.push_back(at_value(groups, quoted(queue) +
                                       " collects dead letters, each of which is kept once; it "
                                       "cannot have groups"));
  }
  for (const Node* group = groups.first_child; group != nullptr; group = group->next) {
    if (group->kind == Kind::string && !group->bad_value && !group->text.empty()) {
      check_group(queue, listed, *group, out);
    }
  }
}

void GroupCheck::check_group(std::string_view queue, const Node& listed, const Node& group,
                             Findings& out) const {
  const std::string its_queue = group_queue(queue, group.text);
  if (const Error error = check_queue_name(its_queue)) {
    out.push_back(at_value(group, error.message()));
  }
  const Node* dead = text_member(listed, "dead_letter_queue");
  if (dead != nullptr && named_(dead->text) == its_queue) {
    out.push_back(at_value(*dead, "dead letters of the group " + quoted(group.text) +
                                      " would come back to it; name another queue"));
  }
  const auto nested = owners_.find(its_queue);
  if (nested == owners_.end()) return;
  out.push_back(at_value(*nested->second->find("groups"),
                         quoted(its_queue) + " is the queue of a group of " + quoted(queue) +
                             " and cannot have groups of its own"));
}

bool GroupCheck::is_for_dead_letters(std::string_view queue) const {
  return queue.ends_with(".dead") || dead_letter_queues_.contains(queue);
}

} // namespace swapmq::config

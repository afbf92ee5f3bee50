// SPDX-License-Identifier: MIT
//
// What can be wrong with the groups of the queues.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/validator.h"

namespace swapmq::config {

class GroupCheck {
 public:
  /// The queue that a name or a role means; empty if that is wrong.
  using Named = std::function<std::string_view(std::string_view)>;

  /// Of the object that lists the queues; its nodes outlive this.
  GroupCheck(const Node& queues, Named named);

  void run(Findings& out) const;

 private:
  void check(std::string_view queue, const Node& listed, const Node& groups, Findings& out) const;
  void check_group(std::string_view queue, const Node& listed, const Node& group,
                   Findings& out) const;
  [[nodiscard]] bool is_for_dead_letters(std::string_view queue) const;

  const Named named_;
  std::map<std::string_view, const Node*> owners_; ///< by name, those that list groups
  std::set<std::string_view> dead_letter_queues_;
};

} // namespace swapmq::config

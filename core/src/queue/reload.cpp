// SPDX-License-Identifier: MIT
//
// Following a config that changed: what can change at once does, the rest is the switcher's.
#include <iterator>
#include <utility>

#include "config/difference.h"
#include "queue/runtime.h"

namespace swapmq::detail {
namespace {

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

} // namespace

Result<ReloadResult> Runtime::reload(config::Config config) {
  const Lock reloading(reload_mutex_);
  switching::Following following;
  auto listed = queue::BackendOpener::members(config);
  if (!listed) return listed.error();
  following.listed = std::move(*listed);
  following.options = config.switching;
  config::Difference changed = config::difference(*config_.get(), config);
  following.renew = !changed.instance.empty();

  log_->set_level(config.log_level);
  config_.set(std::move(config));
  guard();
  for (const auto& consumer : consumers()) consumer->follow_config();

  auto followed = switcher_->follow(following);
  if (!followed) return followed.error();
  ReloadResult result;
  result.switch_number = followed->number;
  result.live = std::move(changed.live);
  result.at_restart = std::move(changed.at_restart);
  append(followed->stays ? result.at_restart : result.live, std::move(changed.instance));
  if (followed->stays && followed->other_options) {
    result.at_restart.push_back("/message_queue/" + following.listed.back().name);
  }
  return result;
}

} // namespace swapmq::detail

// SPDX-License-Identifier: MIT
//
// What a scenario is played with: brokers, hosts as processes of their own, and the books.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "../redis/redis_server.hpp"
#include "../support/proxy.hpp"
#include "../support/temp_folder.hpp"
#include "books.hpp"
#include "host.hpp"
#include "swapmq/swapmq.hpp"

namespace switch_test {

using swapmq::live::Proxy;
using swapmq::live::Way;

using Sections = std::map<std::string, std::string>; ///< options as JSON, by plugin

/// What a scenario is played with, as the parameter of a test.
struct Move {
  std::string from, to;
};
inline std::string move_name(const testing::TestParamInfo<Move>& one) {
  return one.param.from + "_to_" + one.param.to;
}
inline void PrintTo(const Move& move, std::ostream* out) { *out << move.from << " to " << move.to; }

/// Brokers that all stages of a program share; each has queues, a folder and books of its own.
class Stage {
 protected:
  Stage();

  static swapmq::live::RedisServer& redis();
  /// All backends, with the queues of this stage.
  [[nodiscard]] const Sections& sections() const { return sections_; }
  void set_section(const std::string& backend, const std::string& options) {
    sections_[backend] = options;
  }
  /// How long what a dead consumer held stays with it, where that is the backend's to say.
  void set_lease(milliseconds lease);
  /// More of the config's "switch", each with a comma before it.
  void set_switch_options(const std::string& members) { switch_options_ = members; }
  /// `backend` by way of the proxy.
  [[nodiscard]] Sections through(const Proxy& proxy, const std::string& backend) const;
  /// Of the names of its queues at the brokers.
  [[nodiscard]] std::string prefix() const;
  [[nodiscard]] int port_of(const std::string& backend) const;
  /// Writes the config of that host; its path.
  std::string write_config(const std::string& host, const std::string& type,
                           const Sections& sections) const;
  /// Starts it; its state is kept by its name.
  std::unique_ptr<Host> start(const std::string& name, const std::string& type) const {
    return start(name, type, sections_);
  }
  /// `deadly_place`: see scenario_host.cpp; 0: none.
  std::unique_ptr<Host> start(const std::string& name, const std::string& type,
                              const Sections& sections, std::uint64_t deadly_place = 0) const;
  [[nodiscard]] std::string state_dir(const std::string& host) const {
    return folder_ / (host + "-state");
  }
  [[nodiscard]] std::string log_of(const std::string& host) const;
  /// A step is logged after it can be seen.
  [[nodiscard]] bool await_log(const std::string& host, const std::string& text) const;

  [[nodiscard]] Books books() const { return Books(folder_ / "books"); }
  /// Awaits that so many ids were noted with that word.
  void await_count(const std::string& word, std::size_t count) const;
  /// Publishes, and awaits that all are confirmed.
  void publish(Host& host, const std::string& prefix, int count,
               milliseconds delay = milliseconds(0), const std::string& queue = "tasks") const;

  /// As somebody sees it who has nothing to do with the hosts.
  [[nodiscard]] swapmq::MessageQueue look(const std::string& backend) const;
  [[nodiscard]] swapmq::QueueStats sizes(const std::string& backend,
                                         const std::string& queue = "tasks") const;

  /// All that was confirmed is handled, nothing lies anywhere, and nothing came twice but for a
  /// reason, what `may_be_twice` names, or as many as were `in_doubt` within a publish; the books'
  /// summary is printed.
  void expect_all_settled(const Books::Ids& may_be_twice = {}, std::size_t in_doubt = 0) const;
  /// For the sides of which not all was exact: how long after its last message one is retired.
  static milliseconds until_believed_empty(const std::string& backend);

  const swapmq::live::TempFolder folder_{"swapmq-scenario"};

 private:
  Sections sections_;
  std::string switch_options_;
};

class Scenario : public testing::Test, protected Stage {};

} // namespace switch_test

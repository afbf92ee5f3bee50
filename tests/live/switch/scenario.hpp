// SPDX-License-Identifier: MIT
//
// What a scenario is played with: brokers, hosts as processes of their own, and the books.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../redis/redis_server.hpp"
#include "../support/child_process.hpp"
#include "../support/proxy.hpp"
#include "../support/temp_folder.hpp"
#include "books.hpp"
#include "swapmq/swapmq.hpp"

namespace switch_test {

using swapmq::live::Clock;
using swapmq::live::milliseconds;
using swapmq::live::Proxy;
using swapmq::live::Way;

inline constexpr milliseconds patience{30'000};

/// Looks again and again until the condition holds or the time is over.
bool await(const std::function<bool()>& condition, milliseconds timeout = patience);
/// Whether it holds all that time: what must not happen would happen within it.
bool lasts(milliseconds time, const std::function<bool()>& condition);

/// What `status` says of one backend.
struct BackendState {
  std::string role{}; ///< active, owed, watched; empty: the host does not know it
  std::uint64_t in_flight = 0, ready = 0, unacked = 0, delayed = 0, left = 0;
  std::string error{}; ///< ok: none
};
struct HostState {
  std::string phase{};
  std::uint64_t number = 0;
  bool config_refused = false;
  std::map<std::string, BackendState> backends{}; ///< by the name of the plugin
};

/// A scenario_host, told what to do. Killed (SIGKILL) at the end, unless it was ended.
class Host {
 public:
  struct Died : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  /// Awaits that it is open; throws Died with what it said if it is not.
  Host(const std::string& config, const std::string& notes, const std::string& files);

  /// The answer without its "ok". Throws Died, or std::runtime_error with its error.
  std::string tell(const std::string& line);
  [[nodiscard]] HostState state();
  [[nodiscard]] std::string role(const std::string& backend) {
    return state().backends[backend].role;
  }
  [[nodiscard]] bool publishes_to(const std::string& backend) { return tell("backend") == backend; }

  /// Awaits that publishes go there. `how`: policy and order.
  void switch_to(const std::string& backend, const std::string& how = "");
  /// Messages that were published, however that ended.
  [[nodiscard]] std::uint64_t published() { return std::stoull(tell("counts")); }
  /// That it owes nothing to that backend any more.
  [[nodiscard]] bool has_retired(const std::string& backend) { return role(backend) == "watched"; }

  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  void kill();
  bool died(); ///< awaited, a little
  /// Closes in order. Throws if something was not done by then.
  void end();

 private:
  std::string answer(Clock::time_point deadline);

  std::string errors_;
  swapmq::live::Descriptor commands_, answers_;
  std::string received_;
  std::optional<swapmq::live::ChildProcess> process_;
};

using Sections = std::map<std::string, std::string>; ///< options as JSON, by plugin

/// Awaits that it publishes so many more.
void let_flow(Host& host, std::uint64_t count);

/// What a scenario is played with, as the parameter of a test.
struct Move {
  std::string from, to;
};
inline std::string move_name(const testing::TestParamInfo<Move>& one) {
  return one.param.from + "_to_" + one.param.to;
}
inline void PrintTo(const Move& move, std::ostream* out) { *out << move.from << " to " << move.to; }

/// Brokers that all scenarios of a program share; each has queues of its own.
class Scenario : public testing::Test {
 protected:
  Scenario();

  static swapmq::live::RedisServer& redis();
  /// All backends, with the queues of this scenario.
  [[nodiscard]] const Sections& sections() const { return sections_; }
  void set_section(const std::string& backend, const std::string& options) {
    sections_[backend] = options;
  }
  /// More of the config's "switch", each with a comma before it.
  void set_switch_options(const std::string& members) { switch_options_ = members; }
  /// `backend` by way of the proxy.
  [[nodiscard]] Sections through(const Proxy& proxy, const std::string& backend) const;
  [[nodiscard]] int port_of(const std::string& backend) const;
  /// Writes the config of that host; its path.
  std::string write_config(const std::string& host, const std::string& type,
                           const Sections& sections) const;
  /// Starts it; its state is kept by its name.
  std::unique_ptr<Host> start(const std::string& name, const std::string& type) const {
    return start(name, type, sections_);
  }
  std::unique_ptr<Host> start(const std::string& name, const std::string& type,
                              const Sections& sections) const;
  [[nodiscard]] std::string state_dir(const std::string& host) const {
    return folder_ / (host + "-state");
  }
  [[nodiscard]] std::string log_of(const std::string& host) const;

  [[nodiscard]] std::string notes() const { return folder_ / "notes"; }
  [[nodiscard]] Books books() const { return Books(notes()); }
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
  /// reason, or what `may_be_twice` names; the books' summary is printed.
  void expect_all_settled(const Books::Ids& may_be_twice = {}) const;
  /// For the sides of which not all was exact: how long after its last message one is retired.
  static milliseconds until_believed_empty(const std::string& backend);

  const swapmq::live::TempFolder folder_{"swapmq-scenario"};

 private:
  Sections sections_;
  std::string switch_options_;
};

} // namespace switch_test

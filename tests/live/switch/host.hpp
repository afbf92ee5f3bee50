// SPDX-License-Identifier: MIT
//
// A host as a test has it: a scenario_host, which switches, and the recorders that publish and
// consume through it. Each is a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../support/child_process.hpp"
#include "../support/descriptor.hpp"

namespace switch_test {

using swapmq::live::Clock;
using swapmq::live::milliseconds;

inline constexpr milliseconds patience{30'000};

/// Looks again and again until the condition holds or the time is over.
bool await(const std::function<bool()>& condition, milliseconds timeout = patience);
/// Whether it holds all that time: what must not happen would happen within it.
bool lasts(milliseconds time, const std::function<bool()>& condition);

/// A program that does what it is told, one line of its input at a time, and answers each with one
/// line. Killed (SIGKILL) at the end, unless it was ended.
class Obedient {
 public:
  struct Died : std::runtime_error {
    Died(const std::string& what, int by) : std::runtime_error(what), signal(by) {}
    int signal; ///< 0: by itself
  };
  /// Awaits that it is ready; throws Died with what it said if it is not. `files`: of its input,
  /// output and errors, without their endings.
  Obedient(const std::vector<std::string>& arguments, const std::string& files);

  /// The answer without its "ok". Throws Died, or std::runtime_error with its error.
  std::string tell(const std::string& line);
  /// Throws if it does not end in order, or at once.
  void end();
  std::optional<swapmq::live::Exit> await_end();
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

 private:
  void write(const std::string& line) const;
  std::string answer(Clock::time_point deadline);

  std::string errors_;
  swapmq::live::Descriptor commands_, answers_;
  std::string received_;
  std::optional<swapmq::live::ChildProcess> process_;
};

/// Messages, published (however that ended) and handled.
struct Counts {
  std::uint64_t published = 0, handled = 0;
};

/// Publishes and consumes through a host, and keeps books of it. See recorder.cpp for what it is
/// told.
class Recorder : public Obedient {
 public:
  /// `notes`: the file that it writes to.
  Recorder(const std::string& socket, const std::string& notes, const std::string& files);
  Counts counts();
};

/// What `status` says of one backend.
struct BackendState {
  std::string role{}; ///< active, owed, watched; empty: the host does not know it
  std::uint64_t in_flight = 0, ready = 0, unacked = 0, delayed = 0, left = 0, moved = 0;
  std::string error{}; ///< ok: none
};
struct HostState {
  std::string phase{};
  std::uint64_t number = 0;
  bool config_refused = false, crossed = false;
  std::map<std::string, BackendState> backends{}; ///< by the name of the plugin
};

/// Killed (SIGKILL) at the end with its own recorder, unless it was ended.
class Host {
 public:
  using Died = Obedient::Died;

  struct Files {
    std::string config;
    std::string books; ///< folder of what recorders note
    std::string own;   ///< of its sockets, input and output, without their endings
  };
  /// Awaits that it is open; throws Died with what it said if it is not. `deadly_place`: see
  /// scenario_host.cpp; 0: none.
  explicit Host(Files files, std::uint64_t deadly_place = 0);

  /// The host does it, or its own recorder. As Obedient::tell.
  std::string tell(const std::string& line);
  /// One more, which is ended before the host.
  [[nodiscard]] std::unique_ptr<Recorder> recorder(const std::string& name) const;

  [[nodiscard]] HostState state();
  [[nodiscard]] std::string role(const std::string& backend) {
    return state().backends[backend].role;
  }
  [[nodiscard]] bool publishes_to(const std::string& backend) { return tell("backend") == backend; }
  /// Awaits that publishes go there. `how`: policy and order.
  void switch_to(const std::string& backend, const std::string& how = "");
  /// That it owes nothing to that backend any more.
  [[nodiscard]] bool has_retired(const std::string& backend) { return role(backend) == "watched"; }
  /// Of its own recorder.
  [[nodiscard]] Counts counts() { return own_recorder().counts(); }
  [[nodiscard]] std::uint64_t published() { return counts().published; }

  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  void kill();
  bool was_killed(); ///< awaited, a little
  /// Closes in order. Throws if something was not done by then.
  void end();

 private:
  Recorder& own_recorder();

  Files files_;
  std::unique_ptr<Obedient> process_;
  std::unique_ptr<Recorder> recorder_; ///< from when something is to be published or consumed
};

/// Awaits that it publishes so many more.
void let_flow(Host& host, std::uint64_t count);

} // namespace switch_test

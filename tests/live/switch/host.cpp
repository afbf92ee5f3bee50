// SPDX-License-Identifier: MIT
#include "host.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <sstream>
#include <system_error>

#include "../support/text.hpp"

namespace switch_test {

using swapmq::live::ChildProcess;
using swapmq::live::Descriptor;

bool await(const std::function<bool()>& condition, milliseconds timeout) {
  return swapmq::live::await(condition, timeout);
}

bool lasts(milliseconds time, const std::function<bool()>& condition) {
  return !await([&] { return !condition(); }, time);
}

// ---- a program that does what it is told
// ---------------------------------------------------------

namespace {

/// A pipe with a name, open at our side for both ways: neither side waits for the other.
Descriptor named_pipe(const std::string& path) {
  ::unlink(path.c_str());
  if (::mkfifo(path.c_str(), 0600) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  return Descriptor(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

} // namespace

Obedient::Obedient(const std::vector<std::string>& arguments, const std::string& files)
    : errors_(files + ".errors"),
      commands_(named_pipe(files + ".commands")),
      answers_(named_pipe(files + ".answers")) {
  process_.emplace(ChildProcess::Program{.arguments = arguments,
                                         .output = files + ".answers",
                                         .input = files + ".commands",
                                         .errors = errors_});
  const std::string first = answer(Clock::now() + patience);
  if (first != "ok") throw Died(first, 0);
}

std::string Obedient::answer(Clock::time_point deadline) {
  for (;;) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    char bytes[4096];
    const ssize_t length = ::read(answers_.get(), bytes, sizeof bytes);
    if (length > 0) {
      received_.append(bytes, static_cast<std::size_t>(length));
      continue;
    }
    if (!process_->running()) {
      throw Died("it died: " + swapmq::live::whole_file(errors_), await_end()->signal);
    }
    if (Clock::now() > deadline) throw std::runtime_error("it does not answer");
    pollfd polled{answers_.get(), POLLIN, 0};
    ::poll(&polled, 1, 20); // its end is no event of the pipe
  }
}

std::string Obedient::tell(const std::string& line) {
  write(line + "\n");
  const std::string said = answer(Clock::now() + 2 * patience);
  if (said.rfind("ok", 0) != 0) throw std::runtime_error(line + ": " + said);
  return said.size() > 3 ? said.substr(3) : "";
}

void Obedient::write(const std::string& line) const {
  if (::write(commands_.get(), line.data(), line.size()) < 0) {
    throw std::system_error(errno, std::generic_category(), "it reads nothing");
  }
}

void Obedient::end() {
  write("end\n");
  const auto exit = await_end();
  if (!exit || exit->code != 0) throw std::runtime_error("it does not end in order");
}

std::optional<swapmq::live::Exit> Obedient::await_end() {
  return process_->wait(Clock::now() + patience);
}

Recorder::Recorder(const std::string& socket, const std::string& notes, const std::string& files)
    : Obedient({RECORDER, socket, notes}, files) {}

Counts Recorder::counts() {
  std::istringstream words(tell("counts"));
  Counts counts;
  words >> counts.published >> counts.handled;
  return counts;
}

// ---- a host -------------------------------------------------------------------------------------

Host::Host(Files files, std::uint64_t deadly_place)
    : files_(std::move(files)),
      process_(std::make_unique<Obedient>(
          std::vector<std::string>{SCENARIO_HOST, files_.config, files_.own + ".socket",
                                   std::to_string(deadly_place)},
          files_.own)) {}

std::unique_ptr<Recorder> Host::recorder(const std::string& name) const {
  const std::string own = files_.own + "-" + name;
  return std::make_unique<Recorder>(files_.own + ".socket",
                                    files_.books + own.substr(own.rfind('/')), own);
}

Recorder& Host::own_recorder() {
  if (!recorder_) recorder_ = recorder("recorder");
  return *recorder_;
}

std::string Host::tell(const std::string& line) {
  static const std::set<std::string> of_recorders = {"publish", "window", "halt",   "pace",
                                                     "consume", "open",   "settle", "leave"};
  const bool recorded = of_recorders.contains(line.substr(0, line.find(' ')));
  return recorded ? own_recorder().tell(line) : process_->tell(line);
}

HostState Host::state() {
  std::istringstream words(tell("status"));
  HostState state;
  words >> state.phase >> state.number >> state.config_refused >> state.crossed;
  for (std::string name; words >> name;) {
    BackendState& one = state.backends[name];
    words >> one.role >> one.in_flight >> one.ready >> one.unacked >> one.delayed >> one.left >>
        one.moved >> one.error;
  }
  return state;
}

void Host::switch_to(const std::string& backend, const std::string& how) {
  tell("switch " + backend + " " + how);
  EXPECT_TRUE(await([&] { return role(backend) == "active" && publishes_to(backend); }))
      << state().phase << ": " << tell("why");
}

void Host::kill() {
  process_.reset();
  recorder_.reset();
}

bool Host::was_killed() {
  const auto exit = process_->await_end();
  return exit && exit->signal == SIGKILL;
}

void Host::end() {
  tell("close");
  if (recorder_) recorder_->end();
  process_->end();
}

void let_flow(Host& host, std::uint64_t count) {
  const std::uint64_t until = host.published() + count;
  EXPECT_TRUE(await([&] { return host.published() >= until; }));
}

} // namespace switch_test

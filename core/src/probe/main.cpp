// SPDX-License-Identifier: MIT
//
// swapmq-probe: tries one plugin for another process, which reads how far it came. See trial.h.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>

#include "plugin/library.h"
#include "plugin/session.h"
#include "plugin/unique_fd.h"
#include "probe/words.h"

namespace {

using swapmq::Error;
using swapmq::Result;
using swapmq::plugin::Backend;
using swapmq::plugin::Plugin;
using swapmq::plugin::SealedCopy;
using swapmq::plugin::UniqueFd;
using swapmq::probe::Request;

/// What a plugin says goes nowhere: it is told to the process that runs it.
class Silence final : public swapmq::plugin::HostSink {
 public:
  bool log_enabled(int) noexcept override { return false; }
  void log(int, std::string_view) noexcept override {}
  void count(std::string_view, std::uint64_t) noexcept override {}
};

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1); // nobody listens
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> some{};
  for (;;) {
    const ssize_t got = ::read(file, some.data(), some.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(some.data(), static_cast<std::size_t>(got));
  }
}

/// The secrets of a backend leave this process neither with it nor without it.
void set_up(const Request& request) {
  const rlimit no_core{1, 1}; // 0 would not keep a core from being piped to a program
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != static_cast<pid_t>(request.parent)) ::_exit(1); // it is gone already
}

/// Standard output is for the report alone: what a plugin prints goes where errors go.
UniqueFd take_output() {
  UniqueFd output(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, swapmq::probe::image_descriptor + 1));
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  return output;
}

class Trial {
 public:
  Trial(const Request& request, int output) : request_(request), output_(output) {}

  Error run() {
    auto plugin = load();
    if (!plugin || !request_.open) return plugin.error();
    begin("open");
    const auto deadline =
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(request_.deadline_ns));
    auto backend = Backend::open(*plugin, std::make_shared<Silence>(),
                                 {request_.options, request_.instance, deadline});
    if (!backend) return backend.error();
    begin("session_open");
    auto session = (*backend)->open_session(SWAPMQ_ROLE_ADMIN, deadline);
    if (!session) return session.error();
    begin("ping");
    if (Error error = (*session)->ping(deadline)) return error;
    begin("session_close");
    session->reset();
    begin("close");
    (*backend)->close();
    return {};
  }

 private:
  void begin(std::string_view step) { write_all(output_, swapmq::probe::begun(step)); }

  Result<std::shared_ptr<const Plugin>> load() {
    begin("load");
    auto image = SealedCopy::read(swapmq::probe::image_descriptor, request_.name);
    if (!image) return image.error();
    UniqueFd same(::dup((*image)->descriptor()));
    if (auto library = swapmq::plugin::Library::map(std::move(*image)); !library) {
      return library.error();
    }
    begin("swapmq_backend_entry");
    ::lseek(same.get(), 0, SEEK_SET);
    image = SealedCopy::read(same.get(), request_.name); // the same bytes: mapped once
    if (!image) return image.error();
    return Plugin::adopt(std::move(*image), request_.name, request_.path);
  }

  const Request& request_;
  const int output_;
};

} // namespace

int main() {
  const auto request = swapmq::probe::request_from(read_all(STDIN_FILENO));
  if (!request) {
    write_all(STDOUT_FILENO, swapmq::probe::other_build());
    return 2;
  }
  set_up(*request);
  const UniqueFd output = take_output();
  write_all(output.get(), swapmq::probe::ended(Trial(*request, output.get()).run()));
  ::_exit(0); // what a plugin does at exit is no part of this
}

// SPDX-License-Identifier: MIT
//
// The swapmq program.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "colour.h"
#include "command_line.h"
#include "commands/commands.h"
#include "exit_code.h"
#include "output.h"
#include "signals.h"

namespace swapmq::host {
namespace {

/// A standard descriptor that was closed would be given to the next file that is opened, and our
/// output would go into a database. What takes its place refuses to be used: it is open for the
/// other direction.
void occupy_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    [[maybe_unused]] const int opened =
        ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int run_command(const CommandLine& line) {
  return std::visit([&](const auto& command) { return run(line.common, command); }, line.command);
}

int run_program(int argc, char** argv) {
  occupy_standard_descriptors();
  signals::install();
  const char* config = std::getenv("SWAPMQ_CONFIG");
  const auto parsed =
      parse_command_line({argv + 1, argv + argc}, config == nullptr ? std::string() : config);
  if (const auto* leave = std::get_if<Leave>(&parsed)) {
    print_errors(leave->err);
    if (leave->out.empty() || print_out(leave->out)) return leave->exit_code;
    return exit_failed;
  }
  return run_command(std::get<CommandLine>(parsed));
}

} // namespace
} // namespace swapmq::host

int main(int argc, char** argv) {
  try {
    return argc < 1 ? swapmq::host::exit_usage : swapmq::host::run_program(argc, argv);
  } catch (const std::exception& error) { // out of memory, that is
    swapmq::host::print_err(std::string("swapmq: ") + error.what() + "\n");
    return swapmq::host::exit_failed;
  }
}

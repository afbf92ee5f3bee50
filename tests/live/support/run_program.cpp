// SPDX-License-Identifier: MIT
#include "run_program.hpp"

#include <fstream>
#include <stdexcept>

#include "child_process.hpp"
#include "temp_folder.hpp"
#include "text.hpp"

namespace swapmq::live {

std::string ProgramResult::text() const {
  return "exit code " + std::to_string(code) + "\n" + out + err;
}

ProgramResult run_program(const std::vector<std::string>& arguments, const std::string& input,
                          milliseconds patience) {
  const TempFolder folder("swapmq-program");
  ChildProcess::Program program{arguments, folder / "output", true};
  program.errors = folder / "errors";
  if (!input.empty()) {
    program.input = folder / "input";
    std::ofstream(program.input) << input;
  }
  ChildProcess process(program);
  const auto exit = process.wait(Clock::now() + patience);
  ProgramResult result{exit ? exit->code : -1, whole_file(program.output),
                       whole_file(program.errors)};
  if (!exit) {
    throw std::runtime_error(arguments.front() + " does not end:\n" + result.out + result.err);
  }
  return result;
}

} // namespace swapmq::live

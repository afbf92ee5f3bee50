// SPDX-License-Identifier: MIT
//
// swapmq version: the program, the library that was found at run time, the ABI, the compiler.
#include "commands/commands.h"
#include "exit_code.h"
#include "json_output.h"
#include "output.h"
#include "swapmq/backend.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {
namespace {

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "g++ " __VERSION__;
#endif

} // namespace

int run(const CommonOptions& common, const VersionCommand& /*command*/) {
  const std::string abi = std::to_string(SWAPMQ_ABI_MAJOR) + "." + std::to_string(SWAPMQ_ABI_MINOR);
  if (common.json) {
    JsonWriter json;
    json.begin_object()
        .member("program", SWAPMQ_PROGRAM_VERSION)
        .member("library", version())
        .member("abi", abi)
        .member("compiler", compiler)
        .end_object();
    return print_out(json.take()) ? exit_done : exit_failed;
  }
  const std::string text = "swapmq " SWAPMQ_PROGRAM_VERSION "\nlibrary   " +
                           std::string(version()) + "\nABI       " + abi + "\ncompiler  " +
                           compiler + "\n";
  return print_out(text) ? exit_done : exit_failed;
}

} // namespace swapmq::host

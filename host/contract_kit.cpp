// SPDX-License-Identifier: MIT
#include "contract_kit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "child.h"
#include "output.h"
#include "program.h"

namespace swapmq::host {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> kit_places() {
  std::vector<std::string> places;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path prefix = self.parent_path().parent_path();
    places.push_back((prefix / "libexec/swapmq/swapmq-contract-kit").string());
  }
  places.emplace_back(SWAPMQ_CONTRACT_KIT_PATH);
  return places;
}

/// A file that exists while this does.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::error_code error;
    const fs::path base = fs::temp_directory_path(error);
    path_ = (base / "swapmq-check-XXXXXX").string();
    if (error) { // mkostemp would make it in the working directory
      trouble_ = error.message();
      return;
    }
    const int fd = ::mkostemp(path_.data(), O_CLOEXEC);
    if (fd < 0) {
      trouble_ = base.string() + ": " + std::strerror(errno);
    } else {
      ::close(fd);
    }
  }
  ~TemporaryFile() {
    if (trouble_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Why there is none; empty if there is one.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  std::string path_, trouble_;
};

ExitCode run_kit(const std::string& kit, const std::vector<std::string>& args, ChildOutput output) {
  const Result<int> status = run_program_to_end(kit, args, output);
  if (!status) {
    (void)fail(status.error());
    return exit_plugin;
  }
  if (*status < 0 && exit_code_of_kit(*status) != exit_interrupted) {
    print_err("swapmq: the contract kit was killed by signal " + std::to_string(-*status) + "\n");
  }
  return exit_code_of_kit(*status);
}

ExitCode run_kit_for_json(const std::string& kit, std::vector<std::string> args) {
  const TemporaryFile result;
  if (!result.trouble().empty()) {
    print_err("swapmq: cannot make a temporary file for the result (" + result.trouble() +
              "); is TMPDIR writable?\n");
    return exit_failed;
  }
  args.insert(args.end(), {"--json", result.path(), "--quiet"});
  // Standard output is for the document alone; what failed is also said to people.
  const ExitCode code = run_kit(kit, args, ChildOutput::to_our_stderr);
  std::ifstream file(result.path(), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!print_out(text) && code == exit_done) return exit_failed;
  return code;
}

ExitCode run_installed_kit(std::vector<std::string> args, bool as_json) {
  std::string looked;
  for (const std::string& kit : kit_places()) {
    if (::access(kit.c_str(), X_OK) != 0) {
      looked += (looked.empty() ? "" : ", ") + kit;
      continue;
    }
    if (as_json) return run_kit_for_json(kit, std::move(args));
    return run_kit(kit, args, ChildOutput::to_ours);
  }
  print_err("swapmq: the contract kit is not installed; looked for " + looked + "\n");
  return exit_failed;
}

} // namespace

ExitCode run_contract_kit(const KitRun& run) {
  std::vector<std::string> args{"--plugin", run.plugin, "--options", run.options, "--isolate"};
  if (!run.broker_control.empty()) {
    args.insert(args.end(), {"--broker-control", run.broker_control});
  }
  if (!run.junit.empty()) args.insert(args.end(), {"--junit", run.junit});
  if (!run.only.empty()) args.push_back("--gtest_filter=" + run.only);
  if (run.quiet && !run.as_json) args.emplace_back("--quiet");
  return run_installed_kit(std::move(args), run.as_json);
}

ExitCode list_contract_tests(const std::string& only, bool as_json) {
  std::vector<std::string> args{"--list"};
  if (!only.empty()) args.push_back("--gtest_filter=" + only);
  return run_installed_kit(std::move(args), as_json);
}

} // namespace swapmq::host

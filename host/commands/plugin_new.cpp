// SPDX-License-Identifier: MIT
//
// swapmq plugin new: a folder that a backend begins from. The templates are installed beside the
// program; in them the backend is called "minimal".
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "commands/commands.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "table.h"

namespace swapmq::host {
namespace {

namespace fs = std::filesystem;

/// In the build tree and where it is installed this is the same place, seen from the program.
Result<fs::path> template_of(const std::string& language) {
  std::string looked;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (const fs::path& share :
       {self.parent_path().parent_path() / "share/swapmq", fs::path(SWAPMQ_DATA_PATH)}) {
    const fs::path folder = share / "template" / language;
    if (fs::is_directory(folder, error)) return folder;
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  return Error(Errc::not_found, "the templates of plugins are not installed; looked for " + looked);
}

bool is_plugin_name(const std::string& name) {
  const auto fits = [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '_'; };
  return !name.empty() && name.size() <= 64 && std::islower(static_cast<unsigned char>(name[0])) &&
         std::ranges::all_of(name, fits);
}

/// "file_queue" as a class would be called: "FileQueue".
std::string camel_case(const std::string& name) {
  std::string text;
  bool begins = true;
  for (const char c : name) {
    if (c != '_')
      text += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = c == '_';
  }
  return text;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::string named(std::string text, const std::string& name) {
  replace_all(text, "minimal", name);
  replace_all(text, "Minimal", camel_case(name));
  return text;
}

Error cannot(const std::string& what, const fs::path& path, const std::error_code& error) {
  return {Errc::resource_exhausted,
          "cannot " + what + " " + path.string() + ": " + error.message()};
}

Error write_file(const fs::path& from, const fs::path& to, const std::string& name) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (error) return cannot("make", to.parent_path(), error);
  std::ifstream source(from, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(source), std::istreambuf_iterator<char>()};
  std::ofstream target(to, std::ios::binary);
  target << named(text, name);
  target.close();
  if (source.bad() || !target) {
    return cannot("write", to, std::make_error_code(std::errc::io_error));
  }
  return {};
}

/// The files, as seen from the folder, in order.
Result<std::vector<std::string>> write_folder(const fs::path& from, const fs::path& to,
                                              const std::string& name) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(from, error), end; !error && at != end;
       at.increment(error)) {
    if (!at->is_regular_file()) continue;
    const fs::path inside = at->path().lexically_relative(from);
    const fs::path renamed = named(inside.string(), name);
    if (Error failed = write_file(at->path(), to / renamed, name)) return failed;
    files.push_back(renamed.string());
  }
  if (error) return cannot("read", from, error);
  std::ranges::sort(files);
  return files;
}

} // namespace

int run(const CommonOptions& common, const PluginNewCommand& command) {
  if (!is_plugin_name(command.name)) {
    return fail({Errc::invalid_argument,
                 "\"" + printable(command.name) +
                     "\" is not a plugin's name: a small letter, then small letters, digits and _, "
                     "64 at most"});
  }
  const fs::path folder = command.folder.empty() ? command.name : command.folder;
  std::error_code error;
  if (fs::exists(folder, error)) {
    return fail({Errc::conflict, folder.string() + " exists already; name another folder"});
  }
  const Result<fs::path> from = template_of(command.language);
  if (!from) return fail(from.error());
  const Result<std::vector<std::string>> files = write_folder(*from, folder, command.name);
  if (!files) return fail(files.error());
  if (common.json) {
    JsonWriter json;
    json.begin_object().member("folder", folder.string()).key("files").begin_array();
    for (const std::string& file : *files) json.string(file);
    return printed(print_out(json.end_array().end_object().take()));
  }
  if (common.quiet) return exit_done;
  std::string text;
  for (const std::string& file : *files) text += (folder / file).string() + "\n";
  const bool done = print_out(text);
  print_err("swapmq: build it and check it: cd " + folder.string() +
            " && cmake --workflow --preset check\n");
  return printed(done);
}

} // namespace swapmq::host

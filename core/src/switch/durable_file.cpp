// SPDX-License-Identifier: MIT
#include "switch/durable_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "failpoint.h"
#include "plugin/unique_fd.h"

namespace swapmq::switching {
namespace {

using plugin::UniqueFd;

Error failed(const std::string& what, const std::string& path) {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT;
  return {full ? Errc::resource_exhausted : Errc::unavailable,
          what + " " + path + ": " + std::strerror(code)};
}

Error sync_folder(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return failed("cannot fsync", folder);
  return {};
}

Error write_whole(const std::string& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return failed("cannot write", path);
  while (!content.empty()) {
    const ssize_t written = ::write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("cannot write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd.get()) != 0) return failed("cannot fsync", path);
  return {};
}

} // namespace

Error replace_file(const std::string& folder, const std::string& name, std::string_view content) {
  const std::string path = folder + "/" + name;
  const std::string beside = path + ".new";
  if (Error error = write_whole(beside, content)) return error;
  Failpoints::reach("file written beside");
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("cannot replace", path);
  Failpoints::reach("file renamed");
  return sync_folder(folder);
}

Result<std::optional<std::string>> read_file(const std::string& folder, const std::string& name,
                                             std::size_t most) {
  const std::string path = folder + "/" + name;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) return std::optional<std::string>();
  if (!fd) return failed("cannot read", path);
  std::string content;
  std::array<char, 16384> chunk;
  while (content.size() <= most) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("cannot read", path);
    if (got == 0) return std::optional<std::string>(std::move(content));
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return Error(Errc::corrupt, path + ": has more than " + std::to_string(most) + " bytes");
}

Error rename_file(const std::string& folder, const std::string& from, const std::string& to) {
  const std::string path = folder + "/" + from;
  if (::rename(path.c_str(), (folder + "/" + to).c_str()) != 0) {
    return failed("cannot rename", path);
  }
  return sync_folder(folder);
}

Error remove_file(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("cannot remove", path);
  return sync_folder(folder);
}

} // namespace swapmq::switching

// SPDX-License-Identifier: MIT
#include "plugin/trusted_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace swapmq::plugin {
namespace {

constexpr std::size_t kMaxSteps = 512; // names and links of one path
constexpr std::size_t kMaxLinks = 40;  // as the kernel

Error absent(int error) { return {Errc::not_found, std::generic_category().message(error)}; }
Error refused(std::string why) { return {Errc::plugin, std::move(why)}; }

bool is_root_or_us(uid_t uid) { return uid == 0 || uid == ::geteuid(); }

std::string user_name(uid_t uid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(uid);
}

std::string group_name(gid_t gid) {
  std::array<char, 16384> buffer;
  group entry{};
  group* found = nullptr;
  if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->gr_name;
  }
  return std::to_string(gid);
}

/// Whether write permission of the group is no more than that of root, ourselves and the owner: it
/// is the private group of one of them.
bool group_is_private(gid_t gid, uid_t owner) {
  std::vector<char> buffer(65536);
  group entry{};
  group* found = nullptr;
  if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return false;
  }
  const std::array<std::string, 3> users = {"root", user_name(::geteuid()), user_name(owner)};
  const auto is_one = [&](const char* name) { return std::ranges::count(users, name) > 0; };
  if (!is_one(found->gr_name)) return false;
  for (char** member = found->gr_mem; *member != nullptr; ++member) {
    if (!is_one(*member)) return false;
  }
  return true;
}

/// With an access control list the bits of the group are only the most that any entry grants.
bool has_access_list(int fd) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  return ::getxattr(self.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

/// Who else may write it, and the command that ends that; empty: nobody.
std::string other_writers(int fd, const struct stat& stat, const std::string& path) {
  if ((stat.st_mode & S_IWOTH) != 0) {
    return "anybody may write " + path + "; run: chmod o-w " + path;
  }
  if ((stat.st_mode & S_IWGRP) != 0) {
    if (has_access_list(fd)) {
      return "the access control list of " + path + " may let others write it; run: setfacl -b " +
             path + " && chmod g-w " + path;
    }
    if (!group_is_private(stat.st_gid, stat.st_uid)) {
      return "group \"" + group_name(stat.st_gid) + "\" may write " + path + "; run: chmod g-w " +
             path;
    }
  }
  return {};
}

std::string foreign_owner(const struct stat& stat, const std::string& path) {
  if (is_root_or_us(stat.st_uid)) return {};
  return "user \"" + user_name(stat.st_uid) + "\" owns " + path + " and may write it; run: chown " +
         user_name(::geteuid()) + " " + path;
}

/// One walk from / to a file.
class Walk {
 public:
  Result<UniqueFd> run(const std::string& path) {
    push_front(path);
    if (Error error = enter_root()) return error;
    for (std::size_t steps = 0; steps < kMaxSteps; ++steps) {
      if (todo_.empty()) return refused("it is a directory, not a regular file");
      const std::string name = std::move(todo_.front());
      todo_.pop_front();
      std::optional<UniqueFd> file;
      if (Error error = step(name, file)) return error;
      if (file) return std::move(*file);
    }
    return refused("its path is too long");
  }

 private:
  void push_front(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& part : std::filesystem::path(path).relative_path()) {
      if (!part.empty() && part != ".") names.push_back(part.string());
    }
    todo_.insert(todo_.begin(), names.begin(), names.end());
  }

  Error enter_root() {
    here_ = "/";
    directory_ = UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return directory_ ? Error() : absent(errno);
  }

  /// Checks the directory we are in; `strict` if the file, or a link to it, is looked up in it.
  Error check_directory(bool strict) {
    struct stat stat {};
    if (::fstat(directory_.get(), &stat) != 0) return absent(errno);
    sticky_ = (stat.st_mode & S_ISVTX) != 0;
    if (strict) {
      if (auto why = foreign_owner(stat, here_); !why.empty()) return refused(why);
    } else if (sticky_) {
      return {};
    }
    auto why = other_writers(directory_.get(), stat, here_);
    return why.empty() ? Error() : refused(why);
  }

  /// Looks up one name; sets `file` if it is the last and a good regular file.
  Error step(const std::string& name, std::optional<UniqueFd>& file) {
    const bool last = todo_.empty();
    UniqueFd next(::openat(directory_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return absent(errno);
    if (Error error = check_directory(last)) return error;
    struct stat stat {};
    if (::fstat(next.get(), &stat) != 0) return absent(errno);
    if (S_ISLNK(stat.st_mode)) return follow(next, stat, name);
    if (S_ISDIR(stat.st_mode)) return enter(std::move(next), name);
    if (!last) return absent(ENOTDIR);
    const std::string path = join(name);
    if (!S_ISREG(stat.st_mode)) return refused("it is not a regular file");
    if (auto why = foreign_owner(stat, path); !why.empty()) return refused(why);
    if (auto why = other_writers(next.get(), stat, path); !why.empty()) return refused(why);
    // The very file that was checked; by its descriptor, so that a device or a pipe is never
    // opened.
    const std::string self = "/proc/self/fd/" + std::to_string(next.get());
    file.emplace(::open(self.c_str(), O_RDONLY | O_CLOEXEC));
    if (*file) return {};
    return refused("it cannot be read: " + std::generic_category().message(errno));
  }

  Error enter(UniqueFd next, const std::string& name) {
    here_ = name == ".." ? std::filesystem::path(here_).parent_path().string() : join(name);
    directory_ = std::move(next);
    return {};
  }

  Error follow(const UniqueFd& link, const struct stat& stat, const std::string& name) {
    if (sticky_ && !is_root_or_us(stat.st_uid)) {
      return refused("the link " + join(name) + " belongs to user \"" + user_name(stat.st_uid) +
                     "\"");
    }
    if (++links_ > kMaxLinks) return refused("its path has too many symbolic links");
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size < 0) return absent(errno);
    const std::string path(target.data(), static_cast<std::size_t>(size));
    push_front(path);
    return path.starts_with('/') ? enter_root() : Error();
  }

  [[nodiscard]] std::string join(const std::string& name) const {
    return here_.ends_with('/') ? here_ + name : here_ + "/" + name;
  }

  std::deque<std::string> todo_; ///< names still to be looked up
  UniqueFd directory_;           ///< where we are
  std::string here_;             ///< its path, without links
  bool sticky_ = false;
  std::size_t links_ = 0;
};

} // namespace

Result<UniqueFd> open_trusted(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return absent(error.value());
  return Walk().run(absolute.string());
}

} // namespace swapmq::plugin

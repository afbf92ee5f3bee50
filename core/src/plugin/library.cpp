// SPDX-License-Identifier: MIT
#include "plugin/library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "thread_safety.h"

#ifndef MFD_NOEXEC_SEAL // Linux 6.3; concerns execve, not mappings
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace swapmq::plugin {
namespace {

constexpr std::size_t kMaxFileSize = std::size_t{256} << 20;
constexpr std::size_t kChunk = std::size_t{128} << 10;

Error system_error(const std::string& what) {
  return {Errc::plugin, what + ": " + std::generic_category().message(errno)};
}

/// Some hosts allow only memfds that cannot be executed, old kernels do not know such.
UniqueFd make_memfd(const std::string& name) {
  UniqueFd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_NOEXEC_SEAL));
  if (!fd && errno == EINVAL) {
    fd = UniqueFd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  return fd;
}

Error write_all(int fd, const std::byte* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("its copy in memory cannot be written");
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

Error too_large() { return {Errc::plugin, "it is larger than 256 MiB"}; }

/// Copies to the end; how many bytes that were.
Result<std::size_t> copy_all(int from, int to) {
  std::vector<std::byte> buffer(kChunk);
  std::size_t total = 0;
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("it cannot be read");
    if (got == 0) return total;
    total += static_cast<std::size_t>(got);
    if (total > kMaxFileSize) return too_large();
    if (Error error = write_all(to, buffer.data(), static_cast<std::size_t>(got))) return error;
  }
}

bool same_version(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
         a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

/// The dynamic linker's last words, with nothing of the private path that it was given.
std::string linker_error(const std::string& private_path) {
  const char* said = ::dlerror();
  std::string text = said == nullptr ? "no reason was given" : said;
  if (text.starts_with(private_path + ": ")) text.erase(0, private_path.size() + 2);
  return text;
}

class Mapped final : public Library {
 public:
  Mapped(std::unique_ptr<SealedCopy> copy, boost::dll::shared_library library)
      : copy_(std::move(copy)), library_(std::move(library)) {}

  [[nodiscard]] const SealedCopy& image() const override { return *copy_; }
  [[nodiscard]] bool has_bytes(std::span<const std::byte> bytes) const {
    const auto own = copy_->bytes();
    return own.size() == bytes.size() && std::memcmp(own.data(), bytes.data(), own.size()) == 0;
  }

  /// Looks the entry up; a library without it stays mapped like any other.
  Error find_entry() {
    if (entry_ != nullptr) return {};
    if (!library_.has(SWAPMQ_BACKEND_ENTRY_NAME)) {
      return {Errc::plugin,
              "it does not export " SWAPMQ_BACKEND_ENTRY_NAME ", so it is not a swapmq plugin"};
    }
    using Entry = const swapmq_backend_vtable*(std::uint32_t, swapmq_error*);
    entry_ = &library_.get<Entry>(SWAPMQ_BACKEND_ENTRY_NAME);
    return {};
  }

 private:
  std::unique_ptr<SealedCopy> copy_; // keeps the number of its descriptor taken: the linker
                                     // recognises libraries by their path
  boost::dll::shared_library library_;
};

/// The linker takes a path that it has mapped for the same library. A program that closes
/// descriptors which are not its own may have freed the number of one of ours for another use.
Error take_unused_path(SealedCopy& copy) {
  constexpr int kAttempts = 64;
  for (int i = 0; i < kAttempts; ++i) {
    void* taken = ::dlopen(copy.path().c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (taken == nullptr) return {};
    ::dlclose(taken);
    if (Error error = copy.renumber()) return error;
  }
  return {Errc::plugin, "the descriptors of other plugins were closed by the program"};
}

/// All that was ever mapped. Never destroyed: code of theirs may run until the process ends.
struct Registry {
  Mutex mutex;
  std::vector<std::shared_ptr<Mapped>> libraries SWAPMQ_GUARDED_BY(mutex);
};

Registry& registry() {
  static auto* const made = new Registry;
  return *made;
}

} // namespace

Result<std::unique_ptr<SealedCopy>> SealedCopy::read(int file, const std::string& name) {
  struct stat before {};
  if (::fstat(file, &before) != 0) return system_error("it cannot be examined");
  if (before.st_size > static_cast<off_t>(kMaxFileSize)) return too_large();
  UniqueFd fd = make_memfd("swapmq-" + name);
  if (!fd) return system_error("no copy of it can be made in memory (memfd_create)");
  const auto size = copy_all(file, fd.get());
  if (!size) return size.error();
  struct stat after {};
  if (::fstat(file, &after) != 0) return system_error("it cannot be examined");
  if (!same_version(before, after) || *size != static_cast<std::size_t>(after.st_size)) {
    return Error(Errc::plugin,
                 "it was changed while it was being read; replace plugins by renaming a complete "
                 "file into place, and try again",
                 true);
  }
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) {
    return system_error("its copy in memory cannot be sealed");
  }
  std::span<const std::byte> bytes;
  if (*size > 0) {
    void* mapped = ::mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (mapped == MAP_FAILED) return system_error("its copy in memory cannot be mapped");
    bytes = {static_cast<const std::byte*>(mapped), *size};
  }
  return std::unique_ptr<SealedCopy>(new SealedCopy(std::move(fd), bytes));
}

SealedCopy::~SealedCopy() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::string SealedCopy::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
}

Error SealedCopy::renumber() {
  UniqueFd other(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, fd_.get() + 1));
  if (!other) return system_error("no descriptor is left for it");
  fd_ = std::move(other);
  return {};
}

bool Library::is_mapped(const SealedCopy& copy) {
  Registry& all = registry();
  const Lock lock(all.mutex);
  return std::any_of(all.libraries.begin(), all.libraries.end(),
                     [&](const auto& known) { return known->has_bytes(copy.bytes()); });
}

Result<std::shared_ptr<const Library>> Library::map(std::unique_ptr<SealedCopy> copy) {
  Registry& all = registry();
  const Lock lock(all.mutex);
  for (const auto& known : all.libraries) {
    if (!known->has_bytes(copy->bytes())) continue;
    if (Error error = known->find_entry()) return error;
    return std::shared_ptr<const Library>(known);
  }
  if (Error error = take_unused_path(*copy)) return error;
  namespace dll = boost::dll;
  dll::shared_library library;
  dll::fs::error_code failed;
  ::dlerror();
  library.load(copy->path(), dll::load_mode::rtld_now | dll::load_mode::rtld_local, failed);
  if (failed || !library.is_loaded()) {
    return Error(Errc::plugin, "the dynamic linker refused it: " + linker_error(copy->path()));
  }
  all.libraries.push_back(std::make_shared<Mapped>(std::move(copy), std::move(library)));
  if (Error error = all.libraries.back()->find_entry()) return error;
  return std::shared_ptr<const Library>(all.libraries.back());
}

} // namespace swapmq::plugin

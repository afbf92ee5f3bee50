// SPDX-License-Identifier: MIT
#include "crash_vfs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <utility>

namespace swapmq::test {
namespace {

CrashDisk* g_disk = nullptr;
sqlite3_vfs* g_real = nullptr;

/// Ours, followed in memory by the real VFS's own file.
struct ShimFile {
  sqlite3_file base;
  std::string* path;
};

constexpr std::size_t kOwnSize = (sizeof(ShimFile) + 15) / 16 * 16;

sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kOwnSize);
}
const std::string& path_of(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file)->path; }

int shim_close(sqlite3_file* file) {
  sqlite3_file* real = real_of(file);
  const int code = real->pMethods != nullptr ? real->pMethods->xClose(real) : SQLITE_OK;
  delete reinterpret_cast<ShimFile*>(file)->path;
  return code;
}
int shim_read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xRead(real, to, amount, offset);
}
int shim_write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  sqlite3_file* real = real_of(file);
  const std::string& path = path_of(file);
  if (const int code = g_disk->before_write(path, amount); code != SQLITE_OK) return code;
  const int code = real->pMethods->xWrite(real, from, amount, offset);
  if (code == SQLITE_OK) {
    const std::string data(static_cast<const char*>(from), static_cast<std::size_t>(amount));
    g_disk->record(path, {CrashDisk::Operation::kWrite, offset, data});
  }
  return code;
}
int shim_truncate(sqlite3_file* file, sqlite3_int64 size) {
  sqlite3_file* real = real_of(file);
  if (const int code = g_disk->before_write(path_of(file), 0); code != SQLITE_OK) return code;
  const int code = real->pMethods->xTruncate(real, size);
  if (code == SQLITE_OK) g_disk->record(path_of(file), {CrashDisk::Operation::kTruncate, size, ""});
  return code;
}
int shim_sync(sqlite3_file* file, int flags) {
  sqlite3_file* real = real_of(file);
  if (const int code = g_disk->before_sync(path_of(file)); code != SQLITE_OK) return code;
  (void)flags; // the real disk need not be troubled: what is durable is what we say
  g_disk->synced(path_of(file));
  (void)real;
  return SQLITE_OK;
}
int shim_size(sqlite3_file* file, sqlite3_int64* size) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xFileSize(real, size);
}
int shim_lock(sqlite3_file* file, int level) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xLock(real, level);
}
int shim_unlock(sqlite3_file* file, int level) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xUnlock(real, level);
}
int shim_check_reserved(sqlite3_file* file, int* result) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xCheckReservedLock(real, result);
}
int shim_control(sqlite3_file* file, int operation, void* argument) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xFileControl(real, operation, argument);
}
int shim_sector(sqlite3_file* file) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xSectorSize(real);
}
int shim_characteristics(sqlite3_file* file) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xDeviceCharacteristics(real);
}
int shim_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xShmMap(real, page, size, extend, memory);
}
int shim_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xShmLock(real, offset, count, flags);
}
void shim_shm_barrier(sqlite3_file* file) {
  sqlite3_file* real = real_of(file);
  real->pMethods->xShmBarrier(real);
}
int shim_shm_unmap(sqlite3_file* file, int erase) {
  sqlite3_file* real = real_of(file);
  return real->pMethods->xShmUnmap(real, erase);
}

// Version 2: no memory-mapped reading, which would pass us by.
const sqlite3_io_methods kMethods = {2,
                                     shim_close,
                                     shim_read,
                                     shim_write,
                                     shim_truncate,
                                     shim_sync,
                                     shim_size,
                                     shim_lock,
                                     shim_unlock,
                                     shim_check_reserved,
                                     shim_control,
                                     shim_sector,
                                     shim_characteristics,
                                     shim_shm_map,
                                     shim_shm_lock,
                                     shim_shm_barrier,
                                     shim_shm_unmap,
                                     nullptr,
                                     nullptr};

int shim_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* shim = reinterpret_cast<ShimFile*>(file);
  shim->base.pMethods = nullptr;
  sqlite3_file* real = real_of(file);
  if (name == nullptr) return SQLITE_CANTOPEN; // temporary files are kept in memory
  struct stat status {};
  const bool existed = stat(name, &status) == 0;
  const int code = g_real->xOpen(g_real, name, real, flags, out_flags);
  if (code != SQLITE_OK) return code;
  shim->path = new std::string(name);
  shim->base.pMethods = &kMethods;
  g_disk->opened(name, existed);
  return SQLITE_OK;
}
int shim_delete(sqlite3_vfs*, const char* name, int sync_folder) {
  const int code = g_real->xDelete(g_real, name, sync_folder);
  if (code == SQLITE_OK) g_disk->removed(name, sync_folder != 0);
  return code;
}

void apply(const CrashDisk::Operation& operation, std::string& contents) {
  const auto offset = static_cast<std::size_t>(operation.offset);
  if (operation.kind == CrashDisk::Operation::kTruncate) {
    contents.resize(offset);
    return;
  }
  if (contents.size() < offset + operation.data.size()) {
    contents.resize(offset + operation.data.size());
  }
  std::memcpy(contents.data() + offset, operation.data.data(), operation.data.size());
}

bool is_of_contents(const CrashDisk::Operation& operation) {
  return operation.kind == CrashDisk::Operation::kWrite ||
         operation.kind == CrashDisk::Operation::kTruncate;
}

/// Of a write, the sectors that happened to reach the disk.
void apply_torn(const CrashDisk::Operation& operation, std::string& contents,
                std::mt19937& random) {
  constexpr std::size_t kSector = 512;
  for (std::size_t at = 0; at < operation.data.size(); at += kSector) {
    if (random() % 2 == 0) continue;
    apply({operation.kind, operation.offset + static_cast<int64_t>(at),
           operation.data.substr(at, kSector)},
          contents);
  }
}

} // namespace

CrashDisk::CrashDisk() {
  if (g_disk != nullptr) std::abort();
  g_real = sqlite3_vfs_find(nullptr);
  vfs_ = *g_real;
  vfs_.zName = "swapmq-crash";
  vfs_.szOsFile = static_cast<int>(kOwnSize) + g_real->szOsFile;
  vfs_.xOpen = shim_open;
  vfs_.xDelete = shim_delete;
  vfs_.pNext = nullptr;
  g_disk = this;
  sqlite3_vfs_register(&vfs_, 1);
}

CrashDisk::~CrashDisk() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(g_real, 1);
  g_disk = nullptr;
}

void CrashDisk::point() {
  if (on_point) on_point();
}

bool CrashDisk::strikes(Fault& fault, const std::string& path) {
  if (fault.code == 0 || !path.ends_with(fault.suffix)) return false;
  return true;
}

int CrashDisk::before_write(const std::string& path, int64_t bytes) {
  point();
  const std::lock_guard lock(mutex_);
  if (strikes(write_fault_, path)) return std::exchange(write_fault_.code, 0);
  if (room_ < 0 || bytes == 0) return SQLITE_OK;
  if (bytes > room_) return SQLITE_FULL;
  room_ -= bytes;
  return SQLITE_OK;
}

int CrashDisk::before_sync(const std::string& path) {
  point();
  const std::lock_guard lock(mutex_);
  return strikes(sync_fault_, path) ? std::exchange(sync_fault_.code, 0) : SQLITE_OK;
}

void CrashDisk::record(const std::string& path, Operation operation) {
  const std::lock_guard lock(mutex_);
  files_[path].pending.push_back(std::make_shared<const Operation>(std::move(operation)));
}

void CrashDisk::synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  auto contents = std::make_shared<std::string>(*file.durable);
  for (const auto& operation : file.pending) {
    if (is_of_contents(*operation)) {
      apply(*operation, *contents);
    } else {
      file.exists = operation->kind == Operation::kCreate;
      contents->clear();
    }
  }
  file.durable = std::move(contents);
  file.pending.clear();
}

void CrashDisk::opened(const std::string& path, bool existed) {
  const std::lock_guard lock(mutex_);
  const auto known = files_.find(path);
  if (existed && known == files_.end()) {
    // Made by others before, and theirs to have synced.
    std::ifstream stream(path, std::ios::binary);
    File& file = files_[path];
    file.exists = true;
    file.durable = std::make_shared<const std::string>(std::istreambuf_iterator<char>(stream),
                                                       std::istreambuf_iterator<char>());
  } else if (!existed) {
    files_[path].pending.push_back(
        std::make_shared<const Operation>(Operation{Operation::kCreate, 0, ""}));
  }
}

void CrashDisk::removed(const std::string& path, bool durably) {
  {
    const std::lock_guard lock(mutex_);
    if (durably) {
      files_.erase(path);
    } else {
      files_[path].pending.push_back(
          std::make_shared<const Operation>(Operation{Operation::kRemove, 0, ""}));
    }
  }
  point();
}

CrashDisk::State CrashDisk::state() {
  const std::lock_guard lock(mutex_);
  return files_;
}

CrashDisk::Image CrashDisk::drop_unsynced(const State& state) {
  Image image;
  for (const auto& [path, file] : state) {
    if (file.exists) image[path] = *file.durable;
  }
  return image;
}

CrashDisk::Image CrashDisk::keep_some(const State& state, std::mt19937& random) {
  Image image;
  for (const auto& [path, file] : state) {
    bool exists = file.exists;
    std::string contents = *file.durable;
    for (const auto& operation : file.pending) {
      if (!is_of_contents(*operation)) {
        // What follows goes to another file of that name: it is found, or none of it is.
        if (random() % 2 == 0) break;
        exists = operation->kind == Operation::kCreate;
        contents.clear();
        continue;
      }
      switch (random() % 4) {
        case 0:
          break;
        case 1:
          apply_torn(*operation, contents, random);
          break;
        default:
          apply(*operation, contents);
          break;
      }
    }
    if (exists) image[path] = contents;
  }
  return image;
}

void CrashDisk::write_to(const Image& image, const std::string& from, const std::string& to) {
  for (const auto& [path, contents] : image) {
    if (!path.starts_with(from)) continue;
    std::ofstream file(to + path.substr(from.size()), std::ios::binary | std::ios::trunc);
    file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  }
}

void CrashDisk::set_room(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
}

void CrashDisk::fail_next_sync(const std::string& suffix, int code) {
  const std::lock_guard lock(mutex_);
  sync_fault_ = {suffix, code};
}

void CrashDisk::fail_next_write(const std::string& suffix, int code) {
  const std::lock_guard lock(mutex_);
  write_fault_ = {suffix, code};
}

} // namespace swapmq::test

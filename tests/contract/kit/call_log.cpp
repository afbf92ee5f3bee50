// SPDX-License-Identifier: MIT
#include "call_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>

namespace swapmq::contract {

namespace {

constexpr std::size_t kShown = 6;
constexpr std::uint32_t kOfTest = 1; // the number of the test's own thread
constexpr int kLanes = 64;           // threads at the same time; others are not logged
constexpr std::size_t kDepth = 16;   // calls of each

struct Slot {
  std::uint64_t serial; // 0: none
  std::int64_t started_ns, took_ns;
  std::uint32_t times, thread;
  bool has_returned, gave_something;
  char call[256], returned[160];
};

/// The calls of one thread. Zeros are an empty one, as is what a fresh file holds.
struct Lane {
  std::uint64_t written; // the newest is in slots[(written - 1) % kDepth]
  std::array<Slot, kDepth> slots;

  Slot& newest() { return slots[(written - 1) % kDepth]; }
  Slot& before_newest() { return slots[(written - 2) % kDepth]; }
};

using Memory = std::array<Lane, kLanes>;

std::mutex mutex; // guards all that follows
Memory* memory = nullptr;
std::array<bool, kLanes> taken{};
std::uint64_t next_serial = 1;
std::uint64_t first_of_test = 1;
std::uint32_t next_thread = 1;

/// The lane of a thread, which another may have when this one has ended.
struct LaneOfThread {
  int index = -1;
  std::uint32_t thread = 0;

  int take() {
    if (index >= 0) return index;
    // The one that was quiet for the longest time, so that what just ended can still be shown.
    for (int i = 0; i < kLanes; ++i) {
      if (taken[static_cast<std::size_t>(i)]) continue;
      if (index < 0 || age(i) < age(index)) index = i;
    }
    if (index < 0) return -1;
    taken[static_cast<std::size_t>(index)] = true;
    thread = next_thread++;
    return index;
  }
  ~LaneOfThread() {
    if (index < 0) return;
    const std::lock_guard lock(mutex);
    taken[static_cast<std::size_t>(index)] = false;
  }

 private:
  static std::uint64_t age(int i) {
    Lane& lane = (*memory)[static_cast<std::size_t>(i)];
    return lane.written == 0 ? 0 : lane.newest().serial;
  }
};

thread_local LaneOfThread own;

struct Kept {
  std::string failure;
  std::vector<CallSeen> calls;
};
thread_local Kept kept;

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <std::size_t kSize>
void put(char (&to)[kSize], std::string_view text) {
  const std::size_t size = std::min(text.size(), kSize - 1);
  std::memcpy(to, text.data(), size);
  to[size] = '\0';
}

template <std::size_t kSize>
std::string get(const char (&from)[kSize]) {
  return {from, strnlen(from, kSize)};
}

bool same(const Slot& one, const Slot& other) {
  return one.has_returned && other.has_returned && one.serial != 0 && one.thread == other.thread &&
         std::strcmp(one.call, other.call) == 0 && std::strcmp(one.returned, other.returned) == 0;
}

bool began_before(const Slot* one, const Slot* other) { return one->serial < other->serial; }
bool returned_before(const Slot* one, const Slot* other) {
  if (one->has_returned != other->has_returned) return one->has_returned;
  return began_before(one, other);
}

/// Who looks, since when. The test's own thread looks at all; that another's call gave nothing says
/// nothing to it.
struct View {
  std::uint64_t first = 1;
  std::uint32_t thread = kOfTest;

  [[nodiscard]] bool shows(const Slot& slot) const {
    if (slot.serial < first) return false;
    if (slot.thread == thread) return true;
    return thread == kOfTest && (!slot.has_returned || slot.gave_something);
  }
};

/// The last in that order.
std::vector<CallSeen> last_of(const Memory& lanes, const View& view,
                              bool (*before)(const Slot*, const Slot*)) {
  std::vector<const Slot*> slots;
  for (const Lane& lane : lanes) {
    for (const Slot& slot : lane.slots) {
      if (view.shows(slot)) slots.push_back(&slot);
    }
  }
  std::sort(slots.begin(), slots.end(), before);
  if (slots.size() > kShown) slots.erase(slots.begin(), slots.end() - kShown);
  std::vector<CallSeen> calls;
  for (const Slot* slot : slots) {
    calls.push_back({get(slot->call), get(slot->returned), static_cast<double>(slot->took_ns) / 1e6,
                     slot->times, slot->thread, false});
    if (slot->has_returned && calls.back().returned.empty()) calls.back().returned = "returned";
  }
  return calls;
}

/// Of a process that goes no further: who did not return is to be seen, whoever else went on.
std::vector<CallSeen> left_over(const Memory& lanes, std::uint64_t first) {
  std::vector<CallSeen> calls = last_of(lanes, {first, kOfTest}, returned_before);
  for (CallSeen& seen : calls) seen.failing = seen.returned.empty();
  return calls;
}

std::vector<CallSeen> last_calls() {
  const std::lock_guard lock(mutex);
  if (memory == nullptr || own.index < 0) return {};
  Lane& lane = (*memory)[static_cast<std::size_t>(own.index)];
  std::vector<CallSeen> calls = last_of(*memory, {first_of_test, own.thread}, began_before);
  if (lane.written == 0 || !lane.newest().gave_something) return calls;
  for (auto seen = calls.rbegin(); seen != calls.rend(); ++seen) {
    if (seen->thread != own.thread) continue;
    seen->failing = true;
    break;
  }
  return calls;
}

} // namespace

std::string to_line(const CallSeen& seen) {
  std::string line;
  if (seen.thread != 1) line = "thread " + std::to_string(seen.thread) + ": ";
  line += seen.call + " -> ";
  if (seen.returned.empty()) return line + "has not returned";
  char took[64];
  std::snprintf(took, sizeof took, ", %.1f ms", seen.took_ms);
  line += seen.returned + took;
  if (seen.times > 1) line += " (" + std::to_string(seen.times) + " times)";
  return line;
}

CallUnderWay::CallUnderWay(std::string_view call) : lane_(-1) {
  const std::lock_guard lock(mutex);
  if (memory == nullptr) return;
  lane_ = own.take();
  if (lane_ < 0) return;
  Lane& lane = (*memory)[static_cast<std::size_t>(lane_)];
  ++lane.written;
  Slot& slot = lane.newest();
  slot = {};
  put(slot.call, call);
  slot.times = 1;
  slot.thread = own.thread;
  slot.started_ns = now_ns();
  slot.serial = next_serial++; // last: what has none is not read
}

CallUnderWay::~CallUnderWay() {
  const std::int64_t ended = now_ns();
  if (lane_ < 0) return;
  const std::lock_guard lock(mutex);
  Lane& lane = (*memory)[static_cast<std::size_t>(lane_)];
  Slot& slot = lane.newest();
  slot.took_ns = ended - slot.started_ns;
  slot.has_returned = true;
  slot.gave_something = !returned_.empty();
  put(slot.returned, returned_);
  const bool repeats = lane.written > 1 && same(lane.before_newest(), slot) &&
                       lane.before_newest().serial >= first_of_test;
  if (repeats) {
    lane.before_newest().times += 1;
    lane.before_newest().took_ns = slot.took_ns;
    lane.before_newest().serial = slot.serial;
  }
  if (!repeats && !traceless_) return;
  slot = {};
  --lane.written;
}

bool log_calls(const std::string& file) {
  void* mapped = MAP_FAILED;
  if (file.empty()) {
    mapped =
        mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  } else {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    if (ftruncate(fd, sizeof(Memory)) == 0) {
      mapped = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    ::close(fd);
  }
  if (mapped == MAP_FAILED) return false;
  const std::lock_guard lock(mutex);
  memory = static_cast<Memory*>(mapped);
  return true;
}

void forget_calls() {
  const std::lock_guard lock(mutex);
  first_of_test = next_serial;
  next_thread = own.index < 0 ? 1 : 2;
}

void keep_calls_for(std::string_view failure) {
  std::vector<CallSeen> calls = last_calls();
  if (!calls.empty()) kept = {std::string(failure), std::move(calls)};
}

std::vector<CallSeen> calls_before(std::string_view failure) {
  if (!kept.failure.empty() && failure.find(kept.failure) != std::string_view::npos) {
    kept.failure.clear();
    return std::move(kept.calls);
  }
  return last_calls();
}

std::vector<CallSeen> calls_at_the_end() {
  const std::lock_guard lock(mutex);
  if (memory == nullptr) return {};
  return left_over(*memory, first_of_test);
}

std::vector<CallSeen> calls_left_in(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const auto left = std::make_unique<Memory>();
  const ssize_t size = ::pread(fd, left.get(), sizeof(Memory), 0);
  ::close(fd);
  if (size != sizeof(Memory)) return {};
  return left_over(*left, 1);
}

} // namespace swapmq::contract

// SPDX-License-Identifier: MIT
//
// A backend for tests of the switch that obeys files in its folder. A file named as a call (open,
// session, ping, stats) holds what that call does:
//   fail     says UNAVAILABLE
//   hang     does not return until the file is gone, or the deadline
//   deaf     does not return until the file is gone
//   crash    SIGSEGV
//   exit     ends the process
// A file "owed" is a message that is ready and that nobody gets. Each call is noted in the file
// "calls", as "CALL PID". What is published is confirmed and forgotten.
// Built with MOODY_LOADING or MOODY_ENTRY (one of fail, deaf, crash, exit as a function) it does
// that in a constructor of the library, or in its entry.
#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "swapmq/backend.hpp"

namespace {

namespace mq = swapmq::backend;

[[maybe_unused]] void crash() {
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(SIGSEGV);
}
[[maybe_unused]] void exit() { ::_exit(3); }
[[maybe_unused]] void deaf() {
  for (;;) ::pause();
}

#ifdef MOODY_LOADING
__attribute__((constructor)) void loading() { MOODY_LOADING(); }
#endif

struct Store {
  explicit Store(const mq::OpenArgs& args) : folder(folder_of(args.options_json)) {
    behave("open", args.deadline);
  }

  static std::string folder_of(std::string_view options) {
    const std::string_view key = R"("folder":")";
    const std::size_t begin = options.find(key) + key.size();
    return std::string(options.substr(begin, options.find('"', begin) - begin));
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return ::access((folder + "/" + name).c_str(), F_OK) == 0;
  }
  void behave(const std::string& call, mq::Deadline deadline) const {
    note(call);
    std::string mood;
    std::ifstream(folder + "/" + call) >> mood;
    if (mood == "crash") crash();
    if (mood == "exit") exit();
    if (mood == "fail") throw mq::Failure(SWAPMQ_UNAVAILABLE, "in no mood");
    while ((mood == "hang" || mood == "deaf") && has(call)) {
      if (mood == "hang" && deadline.passed()) {
        throw mq::Failure(SWAPMQ_TIMEOUT, "no answer", SWAPMQ_ERROR_RETRYABLE);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  const std::string folder;

 private:
  void note(const std::string& call) const {
    const std::string line = call + " " + std::to_string(::getpid()) + "\n";
    const int file = ::open((folder + "/calls").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (::write(file, line.data(), line.size()) < 0) std::abort();
    ::close(file);
  }
};

class MoodySession final : public mq::Session {
 public:
  using Shared = Store;
  MoodySession(Store& store, int32_t /*role*/, mq::Deadline deadline) : store_(store) {
    store_.behave("session", deadline);
  }

  void ping(mq::Deadline deadline) override { store_.behave("ping", deadline); }
  std::unique_ptr<mq::Queue> open_queue(std::string_view, const swapmq_queue_spec&) override {
    return std::make_unique<mq::Queue>();
  }
  void create_queue(mq::Queue&, mq::Deadline) override {}
  void delete_queue(mq::Queue&, mq::Deadline) override {}
  void queue_stats(mq::Queue&, swapmq_queue_stats& stats, mq::Deadline deadline) override {
    store_.behave("stats", deadline);
    stats.ready = store_.has("owed") ? 1 : 0;
    stats.ready_precision = stats.unacked_precision = stats.delayed_precision = SWAPMQ_STAT_EXACT;
    stats.exists = 1;
  }
  uint64_t purge_queue(mq::Queue&, mq::Deadline) override { return 0; }
  void publish(mq::Queue&, mq::Messages messages, mq::PublishResults results,
               mq::Deadline) override {
    for (std::size_t i = 0; i < messages.size(); ++i) results[i] = mq::confirmed();
  }
  std::unique_ptr<mq::Subscription> subscribe(mq::Queue&, const swapmq_subscribe_args&) override {
    return std::make_unique<mq::Subscription>();
  }
  mq::Received exchange(mq::Subscription&, const mq::ExchangeArgs& args) override {
    std::unique_lock lock(mutex_);
    if (args.max_messages > 0) {
      changed_.wait_until(lock, args.deadline.at(), [this] { return interrupted_; });
    }
    return {nullptr, std::exchange(interrupted_, false)};
  }
  void unsubscribe(mq::Subscription&) override {}
  void service(mq::Deadline) override {}
  void interrupt() noexcept override {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }

 private:
  Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

const swapmq_capabilities capabilities = [] {
  swapmq_capabilities c{};
  c.struct_size = sizeof c;
  c.durability = SWAPMQ_DURABILITY_POWER;
  c.ordering = SWAPMQ_ORDERING_QUEUE;
  return c;
}();
const swapmq_limits limits = [] {
  swapmq_limits l{};
  l.struct_size = sizeof l;
  return l;
}();
[[maybe_unused]] const swapmq_plugin_info info{
    sizeof info,
    0,
    "moody",
    "1.0.0",
    "MIT",
    "does what files say, for tests",
    R"({"type":"object","additionalProperties":false,"required":["folder"],"properties":{
        "folder":{"type":"string","x-swapmq-address":true},
        "password":{"type":"string"},"lease_ms":{"type":"integer"}}})",
    &capabilities,
    &limits};

} // namespace

#ifdef MOODY_ENTRY
extern "C" SWAPMQ_BACKEND_EXPORT const swapmq_backend_vtable* swapmq_backend_entry(uint32_t,
                                                                                   swapmq_error*) {
  MOODY_ENTRY();
  return nullptr;
}
#else
SWAPMQ_DEFINE_BACKEND(MoodySession, info)
#endif

// SPDX-License-Identifier: MIT
//
// What another process does with the backend until it is killed. Each says on stdout, line by line,
// what has been done; the tests of durability and leases read that.
#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "child.h"
#include "harness.h"

namespace swapmq::contract {

namespace {

using Arguments = std::vector<std::string>;

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// Until killed, or until the parent is gone; meanwhile `tick` about every 50 ms.
void wait_for_the_end(const std::function<void()>& tick) {
  for (;;) {
    pollfd end{STDIN_FILENO, POLLIN, 0};
    if (::poll(&end, 1, 50) > 0) return;
    tick();
  }
}

/// QUEUE: publishes numbers in batches and says how many are confirmed.
int publish_on(const Arguments& arguments) {
  Backend backend;
  Session session = backend.session(SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = session.queue(arguments.at(0));
  for (std::size_t done = 0; done < 100000; done += 10) {
    std::vector<Message> batch;
    for (std::size_t i = 0; i < 10; ++i) batch.push_back(message(std::to_string(done + i)));
    session.confirm(queue, batch);
    say(std::to_string(done + batch.size()));
  }
  return 0;
}

/// QUEUE COUNT LEASE_MS: holds deliveries and serves its session.
int hold(const Arguments& arguments) {
  Backend backend;
  Session session = backend.session(SWAPMQ_ROLE_CONSUME);
  const auto count = static_cast<std::uint32_t>(std::stoul(arguments.at(1)));
  Subscription subscription = session.subscribe(session.queue(arguments.at(0)), count,
                                                milliseconds(std::stol(arguments.at(2))));
  const Deliveries held = subscription.receive(count);
  for (const swapmq_delivery* delivery : held) say(body_of(*delivery));
  wait_for_the_end([&] { session.service(); });
  return 0;
}

/// QUEUE COUNT LEASE_MS: holds what it claimed before its time, and serves its session.
int claim(const Arguments& arguments) {
  Backend backend;
  Session session = backend.session(SWAPMQ_ROLE_CONSUME);
  const std::size_t count = std::stoul(arguments.at(1));
  Subscription subscription =
      session.subscribe(session.queue(arguments.at(0)), static_cast<std::uint32_t>(count),
                        milliseconds(std::stol(arguments.at(2))));
  Deliveries held;
  while (held.size() < count) {
    held.add(subscription.claim(count - held.size()));
    session.service();
  }
  for (const swapmq_delivery* delivery : held) say(body_of(*delivery));
  wait_for_the_end([&] { session.service(); });
  return 0;
}

/// QUEUE COUNT ACTION DUE_AT_MS: settles and says so.
int settle(const Arguments& arguments) {
  Backend backend;
  Session session = backend.session(SWAPMQ_ROLE_CONSUME);
  const auto count = static_cast<std::uint32_t>(std::stoul(arguments.at(1)));
  Subscription subscription = session.subscribe(session.queue(arguments.at(0)), count);
  const Deliveries got = subscription.receive(count);
  for (const swapmq_delivery* delivery : got) {
    const bool acks = arguments.at(2) == "ack";
    const swapmq_status status =
        subscription.settle(acks ? ack(*delivery) : nack(*delivery, std::stoll(arguments.at(3))));
    if (status != SWAPMQ_OK) throw Breach(std::string("settling gave ") + status_name(status));
    say(body_of(*delivery));
  }
  wait_for_the_end([] {});
  return 0;
}

/// What main does before any scenario is all: the backend was opened.
int open(const Arguments&) { return 0; }

/// QUEUE: says what is there, and ends.
int look(const Arguments& arguments) {
  Backend backend;
  Session session = backend.session(SWAPMQ_ROLE_CONSUME);
  Subscription subscription = session.subscribe(session.queue(arguments.at(0)), 1);
  const Deliveries got = subscription.receive(1);
  subscription.ack_all(got);
  say(got.body(0));
  return 0;
}

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  DIR* opened = opendir(folder);
  if (opened == nullptr) return 0;
  while (readdir(opened) != nullptr) ++count;
  closedir(opened);
  return count;
}

bool mapped(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}

void use_once(const swapmq_backend_vtable& plugin, const std::string& name) {
  swapmq_open_args args = open_args(silent_host());
  swapmq_backend* backend = nullptr;
  ErrorProbe probe;
  require_ok("open", plugin.open(&args, &backend, probe.get()), probe);
  for (int i = 0; i < 3; ++i) {
    swapmq_session* session = nullptr;
    swapmq_queue* queue = nullptr;
    const std::int32_t role = SWAPMQ_ROLE_PUBLISH + i;
    require_ok("session_open", plugin.session_open(backend, role, soon(), &session, probe.get()),
               probe);
    const swapmq_queue_spec spec{sizeof spec, 0, 0};
    require_ok("queue_open", plugin.queue_open(session, bytes(name), &spec, &queue, probe.get()),
               probe);
    require_ok("delete_queue", plugin.delete_queue(session, queue, soon(), probe.get()), probe);
    plugin.session_close(session);
  }
  plugin.close(backend);
}

/// PATH QUEUE: maps the file anew, uses it, unmaps it, and says what is left of it.
int unload(const Arguments& arguments) {
  const std::string& path = arguments.at(0);
  const std::size_t threads = entries("/proc/self/task");
  const std::size_t descriptors = entries("/proc/self/fd");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Breach(std::string("dlopen: ") + dlerror());
  auto* entry =
      reinterpret_cast<swapmq_backend_entry_fn>(dlsym(library, SWAPMQ_BACKEND_ENTRY_NAME));
  if (entry == nullptr) throw Breach("dlsym: no entry");
  ErrorProbe probe;
  const swapmq_backend_vtable* plugin = entry(SWAPMQ_ABI_VERSION, probe.get());
  if (plugin == nullptr) throw Breach("the entry returned NULL");
  use_once(*plugin, arguments.at(1));
  dlclose(library);
  if (mapped(path)) say("still mapped after dlclose");
  if (entries("/proc/self/task") != threads) say("a thread is left");
  if (entries("/proc/self/fd") != descriptors) say("a descriptor is left");
  say("unloaded");
  return 0;
}

} // namespace

int act_out(const std::string& scenario, const Arguments& arguments) {
  const std::map<std::string, int (*)(const Arguments&)> scenarios{
      {"publish", &publish_on}, {"hold", &hold}, {"claim", &claim},  {"settle", &settle},
      {"look", &look},          {"open", &open}, {"unload", &unload}};
  const auto found = scenarios.find(scenario);
  if (found == scenarios.end()) {
    std::fprintf(stderr, "swapmq-contract-kit: no scenario %s\n", scenario.c_str());
    return 2;
  }
  try {
    return found->second(arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "swapmq-contract-kit, in another process (%s): %s\n", scenario.c_str(),
                 failure.what());
    return 1;
  }
}

} // namespace swapmq::contract

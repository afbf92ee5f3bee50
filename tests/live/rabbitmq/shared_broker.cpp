// SPDX-License-Identifier: MIT
#include "shared_broker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "../support/descriptor.hpp"
#include "../support/wrapped_command.hpp"
#include "rabbitmq_broker.hpp"

namespace swapmq::live {

namespace {

namespace fs = std::filesystem;

constexpr auto kStartTime = milliseconds(150'000);
constexpr auto kEndTime = milliseconds(30'000);
constexpr const char* kUp = "up";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// --- who keeps it: the process that has the lock
// --------------------------------------------------

std::string lock_file(const std::string& folder) { return folder + "/lock"; }

flock whole_file_lock() {
  flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The process that keeps a broker in this folder; 0: none.
pid_t keeper(const std::string& folder) {
  const Descriptor file(open(lock_file(folder).c_str(), O_RDWR | O_CLOEXEC));
  flock lock = whole_file_lock();
  if (!file.valid() || fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  return lock.l_pid;
}

/// Held until the process ends. The file must not be opened again in it: its closing would unlock.
Descriptor become_keeper(const std::string& folder) {
  Descriptor file(open(lock_file(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) fail("cannot open " + lock_file(folder));
  const bool locked = await(
      [&file] {
        flock lock = whole_file_lock();
        return fcntl(file.get(), F_SETLK, &lock) == 0;
      },
      kEndTime);
  if (!locked) throw std::runtime_error("a broker of another run is kept in " + folder);
  return file;
}

// --- what the folder tells of the node
// ------------------------------------------------------------

std::string node_file(const std::string& folder) { return folder + "/node"; }

void write_node(const std::string& folder, const RabbitmqNode& node) {
  const std::string path = node_file(folder);
  std::ofstream file(path + ".new", std::ios::trunc);
  for (const int port : {node.amqp, node.tls, node.management, node.distribution, node.epmd}) {
    file << port << ' ';
  }
  file << node.name << ' ' << node.folder << '\n';
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
  fs::rename(path + ".new", path);
}

RabbitmqNode read_node(const std::string& folder) {
  RabbitmqNode node;
  std::ifstream file(node_file(folder));
  file >> node.amqp >> node.tls >> node.management >> node.distribution >> node.epmd >> node.name;
  std::getline(file >> std::ws, node.folder);
  return node;
}

/// What a keeper that was killed could not remove.
void clean_up(const std::string& folder) {
  std::error_code ignored;
  const fs::path left = read_node(folder).folder;
  if (left.filename().string().starts_with(kBrokerFolder)) fs::remove_all(left, ignored);
  fs::remove(node_file(folder), ignored);
}

// --- the process that keeps it
// --------------------------------------------------------------------

bool has_ended(const Descriptor& process) {
  pollfd end{process.get(), POLLIN, 0};
  return ::poll(&end, 1, 0) != 0;
}

void be_alone(const std::string& folder) {
  setsid();
  ::signal(SIGPIPE, SIG_IGN); // the starter need not wait for what it is told
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (in < 0 || out < 0) fail("cannot write in " + folder);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
}

void say(const Descriptor& to, const std::string& text) {
  if (write(to.get(), text.data(), text.size()) < 0) std::perror("the starter has gone");
}

/// Until told to end, or until `starter` ends.
void keep(const std::string& folder, const Descriptor& starter, Descriptor& report) {
  const Signals signals;
  const Descriptor lock = become_keeper(folder);
  clean_up(folder);
  RabbitmqSetup setup;
  setup.listen = RabbitmqSetup::Listen::both;
  setup.management = true;
  RabbitmqBroker broker(setup);
  write_node(folder, broker.node());
  say(report, kUp);
  report.reset();
  while (broker.running() && !has_ended(starter)) {
    const int signal = signals.next().si_signo;
    if (signal != 0 && signal != SIGCHLD && signal != SIGHUP) break;
  }
  if (!broker.running()) std::fprintf(stderr, "the broker ended:\n%s\n", broker.log().c_str());
  fs::remove(node_file(folder));
}

[[noreturn]] void keep_and_exit(const std::string& folder, const Descriptor& starter,
                                Descriptor report) {
  int code = 1;
  try {
    be_alone(folder);
    keep(folder, starter, report);
    code = 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    if (report.valid()) say(report, failure.what());
  }
  _exit(code); // what the starter registered to do at its exit is not ours
}

std::string read_all(const Descriptor& from, milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::string all;
  std::array<char, 4096> piece{};
  for (;;) {
    pollfd ready{from.get(), POLLIN, 0};
    if (::poll(&ready, 1, left_ms(deadline)) <= 0) return all + "it took too long";
    const ssize_t length = read(from.get(), piece.data(), piece.size());
    if (length <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(length));
  }
}

Descriptor watch(pid_t process) {
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
}

std::string new_virtual_host() {
  std::random_device random;
  return "test-" + std::to_string(getpid()) + "-" + std::to_string(random());
}

std::string erlang(std::string_view text) { return "<<\"" + std::string(text) + "\">>"; }

} // namespace

void start_shared_broker(const std::string& folder) {
  const pid_t starter = getppid();
  const Descriptor starter_ends = watch(starter);
  if (!starter_ends.valid() || getppid() != starter) fail("cannot watch who started this");
  fs::create_directories(folder);
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) fail("pipe2");
  const Descriptor reports(pipe_ends[0]);
  Descriptor report(pipe_ends[1]);
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) keep_and_exit(folder, starter_ends, std::move(report));
  report.reset();
  const std::string said = read_all(reports, kStartTime);
  if (said != kUp) throw std::runtime_error("the shared broker does not start: " + said);
}

bool stop_shared_broker(const std::string& folder) {
  const pid_t process = keeper(folder);
  if (process == 0) return false;
  const Descriptor ends = watch(process);
  if (!ends.valid() || keeper(folder) != process) return true; // it has just ended
  syscall(SYS_pidfd_send_signal, ends.get(), SIGTERM, nullptr, 0);
  if (await([&ends] { return has_ended(ends); }, kEndTime)) return true;
  syscall(SYS_pidfd_send_signal, ends.get(), SIGKILL, nullptr, 0); // the kernel ends the broker
  throw std::runtime_error("the shared broker had to be killed; see " + folder + "/log");
}

SharedVirtualHost::SharedVirtualHost(const std::string& folder, const RabbitmqSetup& setup)
    : node_(read_node(folder)), options_(node_options(node_, setup)) {
  if (keeper(folder) == 0 || node_.folder.empty()) {
    throw std::runtime_error("no shared broker runs in " + folder + "; start it with --start");
  }
  options_.virtual_host = new_virtual_host();
  const std::string user = erlang(kRabbitmqUser);
  const std::string name = erlang(options_.virtual_host);
  evaluate(node_, "ok = rabbit_vhost:add(" + name + ", " + user + "), " +
                      "rabbit_auth_backend_internal:set_permissions(" + user + ", " + name +
                      R"(, <<".*">>, <<".*">>, <<".*">>, )" + user + ")");
}

SharedVirtualHost::~SharedVirtualHost() {
  try {
    evaluate(node_, "rabbit_vhost:delete(" + erlang(options_.virtual_host) + ", " +
                        erlang(kRabbitmqUser) + ")");
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "the virtual host stays until the broker ends: %s\n", failure.what());
  }
}

} // namespace swapmq::live

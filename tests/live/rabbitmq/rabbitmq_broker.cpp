// SPDX-License-Identifier: MIT
#include "rabbitmq_broker.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "../support/text.hpp"

namespace swapmq::live {

namespace {

constexpr auto kStartTime = milliseconds(90'000); // 3 s are usual; the rest is for a busy machine
constexpr auto kStopTime = milliseconds(60'000);  // 1 s is usual
constexpr std::size_t kShownOfLog = 8000;

/// A datagram socket with an abstract name that the kernel chose; frees the name with it.
std::pair<Descriptor, std::string> notice_socket() {
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t length = sizeof address.sun_family;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, length) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind");
  }
  length = sizeof address;
  if (getsockname(socket.get(), generic, &length) != 0) {
    throw std::system_error(errno, std::generic_category(), "getsockname");
  }
  const std::size_t size = length - offsetof(sockaddr_un, sun_path) - 1; // after its NUL
  return {std::move(socket), std::string(address.sun_path + 1, size)};
}

} // namespace

RabbitmqBroker::RabbitmqBroker(RabbitmqSetup setup)
    : RabbitmqBroker(std::move(setup), std::make_shared<Epmd>(), "rabbit@localhost") {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    launch();
    try {
      await_startup();
      return;
    } catch (const std::runtime_error&) {
      if (i + 1 == kTries || !found_port_taken()) throw;
    }
    take_ports();
  }
}

RabbitmqBroker::RabbitmqBroker(RabbitmqSetup setup, std::shared_ptr<Epmd> epmd,
                               const std::string& name)
    : setup_(std::move(setup)), epmd_(std::move(epmd)) {
  std::tie(notices_, notices_name_) = notice_socket();
  node_.folder = folder_.path();
  node_.name = name;
  node_.epmd = epmd_->port();
  node_.cookie = epmd_->cookie();
  take_ports();
  prepare_node(node_, setup_);
}

void RabbitmqBroker::take_ports() {
  ports_.clear();
  const auto take = [this] { return ports_.emplace_back().number(); };
  node_.distribution = take();
  if (setup_.listen != RabbitmqSetup::Listen::tls) node_.amqp = take();
  if (setup_.listen != RabbitmqSetup::Listen::tcp) node_.tls = take();
  if (setup_.management) node_.management = take();
}

std::string RabbitmqBroker::log() const {
  return end_of_file(folder_ / "rabbitmq.log", kShownOfLog);
}

void RabbitmqBroker::kill() { process_.reset(); }

void RabbitmqBroker::stop() {
  eval("rabbit:stop_and_halt()"); // as rabbitmqctl stop does; returns at once
  if (!process_->wait(Clock::now() + kStopTime)) {
    kill();
    throw std::runtime_error("RabbitMQ does not stop:\n" + log());
  }
  process_.reset();
}

void RabbitmqBroker::restart() {
  if (std::this_thread::get_id() != starter_) {
    throw std::runtime_error("a RabbitmqBroker is started by the thread that made it");
  }
  kill();
  launch();
  await_startup();
}

void RabbitmqBroker::pause() const { process_->signal(SIGSTOP); }

void RabbitmqBroker::resume() const { process_->signal(SIGCONT); }

void RabbitmqBroker::launch() {
  const std::string config_file = folder_ / "advanced.config";
  std::ofstream config(config_file, std::ios::trunc);
  config << node_config(node_, setup_);
  config.close();
  if (!config) throw std::runtime_error("cannot write " + config_file);
  const std::string log_file = folder_ / "rabbitmq.log";
  std::error_code ignored; // there is none yet
  std::filesystem::remove(log_file, ignored);
  static_cast<void>(ready()); // what a former one said
  // As systemd starts it: the script becomes the broker, instead of waiting for it.
  const std::vector<std::string> as_service{"RUNNING_UNDER_SYSTEMD=true",
                                            "NOTIFY_SOCKET=@" + notices_name_};
  process_ = std::make_unique<ChildProcess>(
      ChildProcess::Program{with_node(node_, {"rabbitmq-server"}, as_service), log_file, true});
}

void RabbitmqBroker::await_startup() {
  const auto deadline = Clock::now() + kStartTime;
  while (running() && Clock::now() < deadline) {
    pollfd notice{notices_.get(), POLLIN, 0};
    ::poll(&notice, 1, 20);
    if (ready()) return;
  }
  const std::string why = running() ? "does not come up" : "ended at once";
  kill();
  throw std::runtime_error("RabbitMQ " + why + ":\n" + node_config(node_, setup_) + "\n" + log());
}

/// Reads what it has said so far.
bool RabbitmqBroker::ready() {
  bool said = false;
  std::array<char, 4096> notice{};
  for (;;) {
    const ssize_t length = ::recv(notices_.get(), notice.data(), notice.size(), 0);
    if (length < 0) return said;
    const std::string_view text(notice.data(), static_cast<std::size_t>(length));
    said = said || text.find("READY=1") != std::string_view::npos;
  }
}

bool RabbitmqBroker::found_port_taken() const {
  const std::string said = whole_file(folder_ / "rabbitmq.log"); // a plugin's crash fills its end
  return said.find("eaddrinuse") != std::string::npos ||
         said.find("port_already_used") != std::string::npos;
}

} // namespace swapmq::live

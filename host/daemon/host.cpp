// SPDX-License-Identifier: MIT
#include "daemon/host.h"

#include <cstdlib>
#include <utility>

#include "output.h"
#include "program.h"
#include "signals.h"

namespace swapmq::host {

Host::Host(std::string command, const CommonOptions& common, bool supervised)
    : common_(common), supervised_(supervised), source_(common) {
  if (!supervised) return;
  signals::serve_hangups();
  facts_.command = std::move(command);
  facts_.config = common.config;
  facts_.began = std::chrono::steady_clock::now();
  if (common.config.empty()) return;
  watcher_ = std::make_unique<ConfigWatcher>(common.config, std::chrono::steady_clock::now());
}

Error Host::open() {
  Result<MessageQueue> opened = supervised_ ? open_as_host(common_) : open_message_queue(common_);
  if (!opened) return opened.error();
  queue_.emplace(std::move(*opened));
  if (!supervised_) return {};
  facts_.state_dir = queue_->state_dir();
  Supervisor::Setup setup{facts_, std::move(watcher_), common_.quiet};
  supervisor_.emplace(*queue_, source_, std::move(setup));
  return supervisor_->start();
}

std::string Host::control_socket() const {
  return facts_.state_dir.empty() ? std::string() : facts_.state_dir + "/" + control_socket_name;
}

void Host::ending() {
  if (supervisor_) supervisor_->ending();
}

Error Host::close(milliseconds timeout) {
  ending();
  return queue_->close(timeout);
}

ExitCode Host::leave(ExitCode code) {
  constexpr milliseconds patience{2'000};
  if (supervisor_ && !supervisor_->finish(patience)) {
    print_err("swapmq: a plugin that is being loaded does not come back; ending without it\n");
    std::_Exit(code); // exit() would wait for it as well
  }
  supervisor_.reset();
  return code;
}

} // namespace swapmq::host

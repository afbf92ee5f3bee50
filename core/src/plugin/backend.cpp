// SPDX-License-Identifier: MIT
#include <utility>

#include "plugin/call_checker.h"
#include "plugin/call_error.h"
#include "plugin/host_services.h"
#include "plugin/negotiation.h"
#include "plugin/session.h"
#include "plugin/session_call.h"
#include "plugin/views.h"

namespace swapmq::plugin {
namespace {

/// A checker for one call of a backend, whose calls may overlap.
std::unique_ptr<CallChecker> checker_for(const Plugin& plugin, HostSink& sink) {
  if (!plugin_calls_are_checked()) return nullptr;
  return std::make_unique<CallChecker>(plugin.description().name, sink);
}

} // namespace

Backend::Backend(std::shared_ptr<const Plugin> plugin, std::shared_ptr<HostSink> sink)
    : plugin_(std::move(plugin)),
      sink_(std::move(sink)),
      host_(lend(*sink_)),
      capabilities_(plugin_->capabilities()),
      limits_(plugin_->limits()) {}

Result<std::shared_ptr<Backend>> Backend::open(std::shared_ptr<const Plugin> plugin,
                                               std::shared_ptr<HostSink> sink,
                                               const OpenRequest& request) {
  if (plugin == nullptr || sink == nullptr) {
    return Error(Errc::invalid_argument, "a backend is opened with a plugin and a sink");
  }
  if (!is_instance_name(request.instance)) {
    return Error(Errc::invalid_argument,
                 "an instance is 1 to 255 letters, digits, '.', '_' and '-', not \"" +
                     one_line(request.instance, 80) + "\"");
  }
  const std::shared_ptr<Backend> backend(new Backend(std::move(plugin), std::move(sink)));
  const std::string& name = backend->plugin_->description().name;

  swapmq_open_args args{};
  args.struct_size = sizeof args;
  args.host = &backend->host_;
  args.options_json = bytes(request.options_json);
  args.instance = bytes(request.instance);
  args.deadline_ns = to_ns(request.deadline);
  ErrorBuffer buffer;
  swapmq_backend* handle = nullptr;
  const auto checker = checker_for(*backend->plugin_, *backend->sink_);
  swapmq_status status = SWAPMQ_INTERNAL;
  {
    const CallChecker::Scope scope(checker.get(), "open", &request.deadline);
    status = backend->plugin_->vtable().open(&args, &handle, buffer.lend());
  }
  if (Error error = call_error(name, "open", status, buffer)) return error;
  if (handle == nullptr) return breach(name, "open", "it returned OK and no backend");
  backend->handle_ = handle;
  if (Error error = backend->describe()) return error;
  return backend;
}

Error Backend::describe() {
  plugin_->vtable().describe(handle_, &capabilities_, &limits_);
  capabilities_.struct_size = sizeof capabilities_;
  limits_.struct_size = sizeof limits_;
  std::string wrong = wrong_capabilities(capabilities_);
  if (wrong.empty()) wrong = wrong_limits(limits_);
  return wrong.empty() ? Error() : breach(plugin_->description().name, "describe", wrong);
}

Backend::~Backend() { close(); }

bool Backend::enter() {
  const Lock lock(mutex_);
  if (closing_) return false;
  ++users_;
  return true;
}

void Backend::leave() {
  {
    const Lock lock(mutex_);
    if (--users_ > 0 || !closing_) return;
  }
  plugin_->vtable().close(handle_); // nobody can come to it any more
}

void Backend::close() {
  {
    const Lock lock(mutex_);
    if (std::exchange(closing_, true) || users_ > 0) return;
  }
  if (handle_ != nullptr) plugin_->vtable().close(handle_);
}

Result<std::unique_ptr<Session>> Backend::open_session(std::int32_t role, Deadline deadline) {
  const std::string& name = plugin_->description().name;
  if (!enter()) return Error(Errc::closed, name + ": the backend is closed");
  ErrorBuffer buffer;
  swapmq_session* handle = nullptr;
  const auto checker = checker_for(*plugin_, *sink_);
  swapmq_status status = SWAPMQ_INTERNAL;
  {
    const CallChecker::Scope scope(checker.get(), "session_open", &deadline);
    status = plugin_->vtable().session_open(handle_, role, to_ns(deadline), &handle, buffer.lend());
  }
  Error error = call_error(name, "session_open", status, buffer);
  if (!error && handle == nullptr) {
    error = breach(name, "session_open", "it returned OK and no session");
  }
  if (!error) return std::unique_ptr<Session>(new Session(shared_from_this(), handle));
  leave();
  return error;
}

} // namespace swapmq::plugin

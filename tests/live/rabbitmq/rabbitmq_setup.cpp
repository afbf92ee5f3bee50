// SPDX-License-Identifier: MIT
#include "rabbitmq_setup.hpp"

#include <utility>

#include "../support/text.hpp"

namespace swapmq::live {

namespace {

RabbitmqSetup with(void (*change)(RabbitmqSetup&)) {
  RabbitmqSetup setup;
  change(setup);
  return setup;
}

const std::vector<std::pair<std::string, RabbitmqSetup>>& all_setups() {
  using Setup = RabbitmqSetup;
  static const std::vector<std::pair<std::string, Setup>> all{
      {"plain", {}},
      {"classic", with([](Setup& s) { s.queue_type = "classic"; })},
      {"tls", with([](Setup& s) { s.listen = Setup::Listen::tls; })},
      {"classic_tls", with([](Setup& s) {
         s.queue_type = "classic";
         s.listen = Setup::Listen::tls;
       })},
      {"management", with([](Setup& s) { s.management = true; })},
  };
  return all;
}

} // namespace

std::optional<RabbitmqSetup> rabbitmq_setup(std::string_view name) {
  for (const auto& [known, setup] : all_setups()) {
    if (known == name) return setup;
  }
  return std::nullopt;
}

const std::vector<std::string>& rabbitmq_setup_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, setup] : all_setups()) all.push_back(name);
    return all;
  }();
  return names;
}

std::string RabbitmqOptions::json() const {
  JsonMembers members;
  members.add_text("host", host);
  members.add("port", std::to_string(port));
  members.add_text("username", username);
  members.add_text("password", password);
  members.add_text("virtual_host", virtual_host);
  members.add_text("queue_type", queue_type);
  if (tls) {
    JsonMembers files;
    files.add_text("ca_file", ca_file);
    files.add_text("certificate_file", certificate_file);
    files.add_text("key_file", key_file);
    files.add_text("server_name", server_name);
    members.add("tls", files.object());
  }
  if (!management_url.empty()) {
    JsonMembers management;
    management.add_text("url", management_url);
    management.add_text("username", username);
    management.add_text("password", password);
    members.add("management", management.object());
  }
  if (heartbeat_seconds != 0) members.add("heartbeat_seconds", std::to_string(heartbeat_seconds));
  members.add_raw(more);
  return members.object();
}

std::string RabbitmqOptions::url() const {
  return (tls ? "amqps://" : "amqp://") + percent_encoded(username) + ":" +
         percent_encoded(password) + "@" + host + ":" + std::to_string(port) + "/" +
         percent_encoded(virtual_host);
}

} // namespace swapmq::live

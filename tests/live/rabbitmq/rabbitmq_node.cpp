// SPDX-License-Identifier: MIT
#include "rabbitmq_node.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace swapmq::live {

namespace {

namespace fs = std::filesystem;

// Debian's; the programs in /usr/sbin change to a user of the system first.
constexpr const char* kPrograms = "/usr/lib/rabbitmq/bin";
constexpr auto kPatience = milliseconds(60'000); // half a second is usual; the machine may be busy

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

std::vector<std::string> plugins(const RabbitmqSetup& setup) {
  std::vector<std::string> all = setup.plugins;
  if (setup.management) {
    for (const char* name :
         {"rabbitmq_management", "rabbitmq_management_agent", "rabbitmq_web_dispatch"}) {
      all.emplace_back(name);
    }
  }
  return all;
}

/// Of RabbitMQ's plugins those that this node needs. Erlang looks in each of these folders for each
/// of a thousand modules; with all of them a start takes twice as long.
void link_plugins(const fs::path& from, const fs::path& to, const RabbitmqSetup& setup) {
  std::vector<std::string> wanted = plugins(setup);
  wanted.emplace_back("rabbitmq_prelaunch");
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const std::string folder = entry.path().filename();
    const std::string name = folder.substr(0, folder.rfind('-')); // without its version
    const bool optional = name.starts_with("rabbitmq_");
    if (optional && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    fs::create_symlink(entry.path(), to / folder);
  }
}

std::string listeners(std::string_view name, int port) {
  const std::string where = port == 0 ? "" : "{\"127.0.0.1\"," + std::to_string(port) + "}";
  return "{" + std::string(name) + ",[" + where + "]},\n";
}

/// A name that no other has: the node talks to one of each name at a time.
std::string new_caller() {
  static std::atomic<int> callers{0};
  return "caller-" + std::to_string(getpid()) + "-" + std::to_string(++callers);
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string binary(std::string_view text) { return "<<\"" + std::string(text) + "\">>"; }

} // namespace

void prepare_node(const RabbitmqNode& node, const RabbitmqSetup& setup) {
  const fs::path server = fs::path(kPrograms) / "rabbitmq-server";
  if (!fs::exists(server))
    throw std::runtime_error("RabbitMQ is not installed: no " + server.string());
  // The scripts take what is beside their own folder for the installation.
  const fs::path installed = fs::canonical(server).parent_path().parent_path();
  const fs::path folder = node.folder;
  fs::create_directories(folder / "server" / "plugins");
  fs::create_directories(folder / "home");
  for (const char* part : {"sbin", "escript"}) {
    fs::create_symlink(installed / part, folder / "server" / part);
  }
  link_plugins(installed / "plugins", folder / "server" / "plugins", setup);

  std::string enabled;
  for (const std::string& name : plugins(setup)) enabled += (enabled.empty() ? "" : ",") + name;
  write(folder / "enabled_plugins", "[" + enabled + "].\n");
  const fs::path cookie = folder / "home" / ".erlang.cookie";
  write(cookie, node.cookie);
  fs::permissions(cookie, fs::perms::owner_read);
  if (setup.listen != RabbitmqSetup::Listen::tcp)
    write_certificates(node.folder, setup.certificate);
}

std::string node_config(const RabbitmqNode& node, const RabbitmqSetup& setup) {
  std::string text =
      "[{rabbit,[\n" + listeners("tcp_listeners", node.amqp) + listeners("ssl_listeners", node.tls);
  if (node.tls != 0) {
    const std::string in = node.folder + "/";
    text += "{ssl_options,[{cacertfile," + quoted(in + "ca.pem") + "},{certfile," +
            quoted(in + "server.pem") + "},{keyfile," + quoted(in + "server.key") +
            "},{verify,verify_peer},{fail_if_no_peer_cert,true}]},\n";
  }
  text += "{default_user," + binary(kRabbitmqUser) + "},\n{default_pass," +
          binary(kRabbitmqPassword) + "},\n" +
          // Alarms of memory and of disk are for tests that ask for them.
          "{vm_memory_high_watermark,{absolute,\"4GB\"}},\n{disk_free_limit,50000000},\n"
          // What the broker loses on its way out of a delay queue it sends again after that: in
          // less time than a test waits, not in three minutes.
          "{dead_letter_worker_publisher_confirm_timeout,15000}";
  for (const std::string& setting : setup.rabbit) text += ",\n" + setting;
  text += "\n]}";
  if (node.management != 0) {
    text += ",\n{rabbitmq_management,[{listener,[{ip,\"127.0.0.1\"},{port," +
            std::to_string(node.management) + "}]}]}";
  }
  return text + "].\n";
}

std::vector<std::string> with_node(const RabbitmqNode& node,
                                   const std::vector<std::string>& program,
                                   const std::vector<std::string>& more) {
  const std::string in = node.folder + "/";
  const char* path = std::getenv("PATH");
  // Nothing of the caller's environment, which may be that of another broker.
  std::vector<std::string> line{
      "env", "-i", "-C", node.folder,
      "PATH=" + std::string(kPrograms) + ":" + (path != nullptr ? path : "/usr/bin:/bin"),
      "HOME=" + in + "home", "LANG=C.UTF-8", "ERL_EPMD_PORT=" + std::to_string(node.epmd),
      "ERL_EPMD_ADDRESS=127.0.0.1",
      // Erlang starts an epmd that nobody ends where it finds none.
      "ERL_FLAGS=-start_epmd false",
      "ERL_CRASH_DUMP_SECONDS=0", // none
      "RABBITMQ_NODENAME=" + node.name, "RABBITMQ_DIST_PORT=" + std::to_string(node.distribution),
      "RABBITMQ_SCHEDULER_BIND_TYPE=u", // its threads leave a busy core to others
      // As many at a time as there are, instead of eleven.
      "RABBITMQ_CTL_DIST_PORT_MIN=0", "RABBITMQ_CTL_DIST_PORT_MAX=0",
      "RABBITMQ_SCRIPTS_DIR=" + in + "server/sbin", "RABBITMQ_PLUGINS_DIR=" + in + "server/plugins",
      "RABBITMQ_MNESIA_BASE=" + in + "data", "RABBITMQ_LOG_BASE=" + in + "log",
      "RABBITMQ_LOGS=-", // its output
      "RABBITMQ_CONF_ENV_FILE=" + in + "rabbitmq-env.conf",
      "RABBITMQ_CONFIG_FILE=" + in + "rabbitmq.conf",
      "RABBITMQ_ADVANCED_CONFIG_FILE=" + in + "advanced.config",
      "RABBITMQ_ENABLED_PLUGINS_FILE=" + in + "enabled_plugins",
      "RABBITMQ_GENERATED_CONFIG_DIR=" + in + "generated", "RABBITMQ_SCHEMA_DIR=" + in + "schema",
      "RABBITMQ_PID_FILE=" + in + "pid",
      "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"};
  line.insert(line.end(), more.begin(), more.end());
  line.insert(line.end(), program.begin(), program.end());
  return line;
}

RabbitmqOptions node_options(const RabbitmqNode& node, const RabbitmqSetup& setup) {
  RabbitmqOptions options;
  options.port = node.amqp;
  options.queue_type = setup.queue_type;
  options.heartbeat_seconds = setup.heartbeat_seconds;
  if (setup.listen == RabbitmqSetup::Listen::tls) {
    options.host = "localhost"; // of the certificate's names the one that every client can verify
    options.port = node.tls;
    options.tls = true;
    options.ca_file = node.folder + "/ca.pem";
    options.certificate_file = node.folder + "/client.pem";
    options.key_file = node.folder + "/client.key";
  }
  if (setup.management) {
    options.management_url = "http://127.0.0.1:" + std::to_string(node.management);
  }
  return options;
}

ProgramResult rabbitmqctl(const RabbitmqNode& node, const std::vector<std::string>& words) {
  std::vector<std::string> program{"rabbitmqctl", "--quiet"};
  program.insert(program.end(), words.begin(), words.end());
  return run_program(with_node(node, program), {}, kPatience);
}

std::string evaluate(const RabbitmqNode& node, const std::string& expressions) {
  const std::string done = "done ";
  const std::string code = "try begin " + expressions + " end of Value -> io:format(\"" + done +
                           "~tp\", [Value])" +
                           " catch Kind:Why -> io:format(\"~tp\", [{Kind, Why}]) end.\n";
  const ProgramResult result =
      run_program(with_node(node, {"erl_call", "-n", node.name, "-h", new_caller(), "-fetch_stdout",
                                   "-no_result_term", "-e"}),
                  code, kPatience);
  if (result.code != 0 || !result.out.starts_with(done)) {
    throw std::runtime_error("cannot evaluate " + expressions + ": " + result.text());
  }
  return result.out.substr(done.size());
}

} // namespace swapmq::live

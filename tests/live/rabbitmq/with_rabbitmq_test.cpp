// SPDX-License-Identifier: MIT
//
// The wrapper: what it tells, how it exits, and that no broker stays behind, its own or a shared
// one.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../support/port.hpp"
#include "../support/temp_folder.hpp"
#include "../support/wrapper_process.hpp"
#include "shared_broker.hpp"

namespace swapmq::live {
namespace {

class Wrapper : public WrapperProcess {
 public:
  explicit Wrapper(std::vector<std::string> arguments)
      : WrapperProcess(WITH_RABBITMQ_PROGRAM, std::move(arguments)) {}
};

bool ends_listening(int port) {
  return await([port] { return !connect_to(port).valid(); }, kWrapperPatience);
}

TEST(WithRabbitmq, TellsTheOptionsAndExitsWithTheCommandsCode) {
  Wrapper wrapper({"--setup", "classic", "--", "sh", "-c", "echo \"$0\"; exit 7",
                   "<{rabbitmq}|{rabbitmq_url}|{rabbitmq_port}>"});
  EXPECT_EQ(wrapper.exit().code, 7);
  const std::string said = wrapper.output();
  const std::string port = said.substr(said.rfind('|') + 1, 5);
  EXPECT_EQ(said, "<{\"host\":\"127.0.0.1\",\"port\":" + port +
                      ",\"username\":\"queues\",\"password\":\"s3cret/with:all@of%it\","
                      "\"virtual_host\":\"/\",\"queue_type\":\"classic\"}"
                      "|amqp://queues:s3cret%2Fwith%3Aall%40of%25it@127.0.0.1:" +
                      port + "/%2F|" + port + ">\n");
  EXPECT_FALSE(connect_to(std::stoi(port)).valid());
}

TEST(WithRabbitmq, KilledLeavesNeitherBrokerNorCommandBehind) {
  Wrapper wrapper({"--", "sh", "-c", "echo {rabbitmq_port} $$; while :; do sleep 1; done"});
  std::istringstream said(wrapper.line());
  int port = 0;
  pid_t command = 0;
  said >> port >> command;
  ASSERT_TRUE(connect_to(port).valid());
  wrapper.process().signal(SIGKILL);
  EXPECT_EQ(wrapper.exit().signal, SIGKILL);
  EXPECT_TRUE(ends_listening(port));
  EXPECT_TRUE(await([command] { return has_ended(command); }));
}

TEST(WithRabbitmq, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(Wrapper({"--setup", "nonesuch", "--", "true"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"true"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"--"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"--start", "folder", "--", "true"}).exit().code, 2);
  const TempFolder folder("swapmq-shared");
  EXPECT_EQ(Wrapper({"--shared", folder.path(), "--", "true"}).exit().code, 125);
  EXPECT_EQ(Wrapper({"--stop", folder.path()}).exit().code, 0);
}

TEST(SharedBroker, GivesEachCommandAVirtualHostOfItsOwn) {
  const TempFolder folder("swapmq-shared");
  // What a keeper leaves that was killed.
  std::ofstream(folder / "lock") << "";
  std::ofstream(folder / "node") << "1 2 3 4 5 rabbit@localhost /nonexistent\n";
  Wrapper starter({"--start", folder.path()});
  ASSERT_EQ(starter.exit().code, 0) << starter.output();

  const RabbitmqSetup tls = *rabbitmq_setup("tls");
  RabbitmqNode node;
  {
    const SharedVirtualHost first(folder.path(), {});
    const SharedVirtualHost second(folder.path(), tls);
    node = first.node();
    EXPECT_NE(first.options().virtual_host, second.options().virtual_host);
    EXPECT_EQ(second.options().port, node.tls);
    EXPECT_EQ(evaluate(node, "length(rabbit_vhost:list_names())"), "3");
  }
  EXPECT_EQ(evaluate(node, "rabbit_vhost:list_names()"), "[<<\"/\">>]");
  Wrapper command({"--shared", folder.path(), "--setup", "management", "--", "sh", "-c",
                   "amqp-declare-queue --url \"$0\" --durable --queue tasks && exit 5",
                   "{rabbitmq_url}"});
  EXPECT_EQ(command.exit().code, 5) << command.output();
  EXPECT_EQ(evaluate(node, "length(rabbit_amqqueue:list())"), "0");

  Wrapper stopper({"--stop", folder.path()});
  EXPECT_EQ(stopper.exit().code, 0) << stopper.output();
  for (const int port : {node.amqp, node.tls, node.management, node.epmd}) {
    EXPECT_FALSE(connect_to(port).valid()) << port;
  }
}

TEST(SharedBroker, EndsWithTheProcessThatStartedIt) {
  const TempFolder folder("swapmq-shared");
  WrapperProcess shell("sh", {"-c", "\"$0\" --start \"$1\"; cut -d' ' -f1 \"$1/node\"; sleep 0.1",
                              WITH_RABBITMQ_PROGRAM, folder.path()});
  EXPECT_EQ(shell.exit().code, 0);
  EXPECT_TRUE(ends_listening(std::stoi(shell.line()))) << shell.output();
  EXPECT_TRUE(await([&folder] { return !stop_shared_broker(folder.path()); }));
}

} // namespace
} // namespace swapmq::live

// SPDX-License-Identifier: MIT
//
// The control interface, with all that may be at the other end of its socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "../../support/temporary_folder.hpp"
#include "daemon/control_client.h"
#include "daemon/control_desk.h"
#include "daemon/control_server.h"

namespace swapmq::host {
namespace {

using test::TemporaryFolder;

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
using Clock = ControlServer::Clock;

/// Answers with the request, and with news without end if that is asked for.
class Echo final : public Errand {
 public:
  explicit Echo(std::string_view line) : line_(line) {}
  std::string go_on(Clock::time_point /*now*/, bool may_skip) override {
    if (line_ == "endless") return may_skip ? "" : news();
    if (line_ == "flood") return std::string(100'000, 'x') + "\n";
    over_ = true;
    return "echo " + line_ + "\n";
  }
  [[nodiscard]] bool over() const override { return over_; }
  static std::string news() { return std::string(99, 'n') + "\n"; }

 private:
  const std::string line_;
  bool over_ = false;
};

class Server : public testing::Test {
 protected:
  Server()
      : server_(
            std::move(ControlSocket::listen(folder_.path())).value(),
            [](std::string_view line, Clock::time_point) { return std::make_unique<Echo>(line); }) {
  }

  Descriptor connected() {
    Result<Descriptor> socket = connect_to_control_socket(folder_.path());
    EXPECT_TRUE(socket) << socket.error().message();
    return socket ? std::move(*socket) : Descriptor();
  }
  static void say(const Descriptor& socket, std::string_view text) {
    ASSERT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// Serves until that one is told so much, or the end.
  std::string heard(const Descriptor& socket, std::size_t bytes = 1'000'000) {
    std::string text;
    for (int rounds = 0; rounds < 1000 && text.size() < bytes; ++rounds) {
      server_.serve(now_);
      char piece[65536];
      const ssize_t got = ::recv(socket.get(), piece, sizeof piece, 0);
      if (got == 0) break;
      if (got > 0) text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }
  static bool closed(const Descriptor& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_PEEK) == 0;
  }

  TemporaryFolder folder_;
  ControlServer server_;
  Clock::time_point now_ = Clock::now(); // told, so that no test waits for the patience
};

TEST_F(Server, AnswersALineAndCloses) {
  const Descriptor socket = connected();
  say(socket, "hel");
  server_.serve(now_);
  EXPECT_EQ(server_.connections(), 1U);
  say(socket, "lo\nand what follows is not looked at\n");
  EXPECT_EQ(heard(socket), "echo hello\n");
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(Server, TheSocketIsItsOwnersAlone) {
  struct stat about {};
  ASSERT_EQ(::stat((folder_ / control_socket_name).c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
  EXPECT_TRUE(S_ISSOCK(about.st_mode));
}

TEST_F(Server, ALineThatIsTooLongIsRefused) {
  for (const char* end : {"", "\n"}) {
    const Descriptor socket = connected();
    say(socket, std::string(ControlServer::most_line_bytes + 1, 'x') + end);
    EXPECT_THAT(heard(socket), HasSubstr("a request has at most 16384 bytes")) << '"' << end << '"';
    EXPECT_EQ(server_.connections(), 0U);
  }
  const Descriptor socket = connected();
  const std::string longest(ControlServer::most_line_bytes, 'x');
  say(socket, longest + "\n");
  EXPECT_EQ(heard(socket), "echo " + longest + "\n");
}

TEST_F(Server, OneConnectionTooManyIsToldSoAndTheOthersGoOn) {
  std::vector<Descriptor> sockets;
  for (std::size_t i = 0; i < ControlServer::most_connections; ++i) {
    sockets.push_back(connected());
    server_.serve(now_);
  }
  const Descriptor more = connected();
  EXPECT_THAT(heard(more), HasSubstr("16 requests are being answered already"));
  EXPECT_EQ(server_.connections(), ControlServer::most_connections);
  say(sockets.front(), "a\n");
  EXPECT_EQ(heard(sockets.front()), "echo a\n");
  const Descriptor again = connected();
  say(again, "b\n");
  EXPECT_EQ(heard(again), "echo b\n") << "there is room again";
}

TEST_F(Server, WhoSaysNothingIsLetGoAfterAWhile) {
  const Descriptor socket = connected();
  say(socket, "no newline");
  server_.serve(now_);
  EXPECT_LE(server_.due(now_), now_ + ControlServer::request_patience);
  server_.serve(now_ + ControlServer::request_patience - 1ms);
  EXPECT_EQ(server_.connections(), 1U);
  server_.serve(now_ + ControlServer::request_patience);
  EXPECT_EQ(server_.connections(), 0U);
  EXPECT_TRUE(closed(socket) || heard(socket).empty());
}

TEST_F(Server, WhoDoesNotReadIsSkippedAndThenLetGo) {
  const Descriptor reader = connected(), hanging = connected();
  say(hanging, "endless\n");
  say(reader, "endless\n");
  // More than the bound on what waits: the one that hangs is told no more than its socket holds.
  const auto rounds = 2 * ControlServer::most_waiting_bytes / Echo::news().size();
  for (std::size_t i = 0; i < rounds; ++i) server_.serve(now_);
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_THAT(heard(reader, 1'000), StartsWith(Echo::news() + Echo::news()));
  server_.serve(now_ + ControlServer::reader_patience + 1ms);
  EXPECT_EQ(server_.connections(), 1U) << "the one that reads stays";
}

TEST_F(Server, AnAnswerThatNobodyTakesHasABound) {
  const Descriptor socket = connected();
  say(socket, "flood\n");
  for (int i = 0; i < 100; ++i) server_.serve(now_);
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(Server, WhoLeavesIsForgottenAtOnce) {
  {
    const Descriptor asking = connected(), listening = connected();
    say(asking, "half a requ");
    say(listening, "endless\n");
    server_.serve(now_);
    EXPECT_EQ(server_.connections(), 2U);
  }
  server_.serve(now_);
  EXPECT_EQ(server_.connections(), 0U);
}

TEST(ControlSocket, ReplacesOneThatADeadHostLeft) {
  const TemporaryFolder folder;
  {
    // What a kill leaves: a socket that nobody listens at.
    auto left = std::move(ControlSocket::listen(folder.path())).value();
    std::filesystem::rename(folder / control_socket_name, folder / "kept");
  }
  std::filesystem::rename(folder / "kept", folder / control_socket_name);
  EXPECT_EQ(connect_to_control_socket(folder.path()).error().code(), Errc::not_found);
  auto socket = ControlSocket::listen(folder.path());
  ASSERT_TRUE(socket) << socket.error().message();
  EXPECT_TRUE(connect_to_control_socket(folder.path()));
}

TEST(ControlSocket, IsRemovedAtTheEnd) {
  const TemporaryFolder folder;
  { const auto socket = ControlSocket::listen(folder.path()); }
  EXPECT_FALSE(std::filesystem::exists(folder / control_socket_name));
  const auto error = connect_to_control_socket(folder.path()).error();
  EXPECT_EQ(error.code(), Errc::not_found);
  EXPECT_THAT(error.message(), HasSubstr("no host is running there; begin one with 'swapmq run'"));
}

TEST(ControlSocket, WorksInAFolderWithALongName) {
  const TemporaryFolder folder;
  const std::string deep = folder / std::string(200, 'd');
  std::filesystem::create_directories(deep);
  const auto socket = ControlSocket::listen(deep);
  ASSERT_TRUE(socket) << socket.error().message();
  EXPECT_TRUE(connect_to_control_socket(deep));
}

TEST(ControlSocket, IsNotMadeWhereOthersCanWrite) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0770U, 0707U, 01777U}) {
    ASSERT_EQ(::chmod(folder.path().c_str(), mode), 0);
    const auto error = ControlSocket::listen(folder.path()).error();
    EXPECT_EQ(error.code(), Errc::config) << mode;
    EXPECT_THAT(error.message(), HasSubstr("can be written to by others; chmod go-w it"));
  }
}

TEST(ControlRequest, IsReadAsItWasWritten) {
  ControlRequest request;
  request.what = ControlRequest::Do::change;
  request.type = "caf\xc3\xa9 \"x\"";
  request.dry_run = request.allow_capability_loss = request.wait = request.hold_publishes = true;
  request.policy = BacklogPolicy::transfer;
  request.order = SwitchOrder::strict;
  request.timeout = 1500ms;
  const auto read = control_request_of(to_line(request));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->what, request.what);
  EXPECT_EQ(read->type, request.type);
  EXPECT_TRUE(read->dry_run && read->allow_capability_loss && read->wait && read->hold_publishes);
  EXPECT_EQ(read->policy, request.policy);
  EXPECT_EQ(read->order, request.order);
  EXPECT_EQ(read->timeout, request.timeout);
}

TEST(ControlRequest, WhatIsNotGivenTheConfigSays) {
  const auto read = control_request_of(R"({"do": "switch", "type": "x"})");
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->policy || read->order || read->allow_capability_loss || read->wait);
  EXPECT_EQ(read->timeout, 30s);
}

std::string trouble(std::string_view line) {
  const auto read = control_request_of(line);
  EXPECT_FALSE(read) << line;
  EXPECT_EQ(read.error().code(), Errc::invalid_argument) << line;
  return read.error().message();
}

TEST(ControlRequest, WhateverElseItIsIsRefused) {
  for (const char* line :
       {"", "{", "[]", "7", "null", "{\"do\": \"status\"", "\xff\xfe", "{} {}"}) {
    EXPECT_THAT(trouble(line), HasSubstr("no JSON object")) << line;
  }
  EXPECT_THAT(trouble(std::string(8'000, '[')), HasSubstr("no JSON object"));
  for (const char* line : {"{}", R"({"do": 7})", R"({"do": "dance"})"}) {
    EXPECT_THAT(trouble(line), HasSubstr("\"do\" is none of")) << line;
  }
  EXPECT_THAT(trouble(R"({"do": "status", "typ": "x"})"), HasSubstr("unknown member \"typ\""));
  EXPECT_THAT(trouble(R"({"do": "reload", "type": "x"})"), HasSubstr("unknown member \"type\""));
  EXPECT_THAT(trouble(R"({"do": "status", "wait": 1})"), HasSubstr("bad value of \"wait\""));
  EXPECT_THAT(trouble(R"({"do": "status", "timeout_ms": -1})"), HasSubstr("\"timeout_ms\""));
  EXPECT_THAT(trouble(R"({"do": "status", "timeout_ms": 1e30})"), HasSubstr("\"timeout_ms\""));
  EXPECT_THAT(trouble(R"({"do": "switch", "type": "x", "policy": "keep"})"),
              HasSubstr("bad value of \"policy\""));
  EXPECT_THAT(trouble(R"({"do": "switch"})"), HasSubstr("\"type\" is missing"));
  EXPECT_THAT(trouble(R"({"do": "forget"})"), HasSubstr("\"backend\" is missing"));
}

} // namespace
} // namespace swapmq::host

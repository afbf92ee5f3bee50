// SPDX-License-Identifier: MIT
//
// What a person at a terminal sees: colours, the progress line, completion in the shells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class AtATerminal : public WithSqlite {
 protected:
  static constexpr const char* program = SWAPMQ_TEST_PROGRAM;
};

TEST_F(AtATerminal, AnErrorAndAHeadingAreColoured) {
  EXPECT_THAT(Terminal(folder_, {program, "pubish"}).read_all(),
              HasSubstr("\033[1;31mswapmq:\033[0m unknown command"));
  folder_.write("bad.json", "{}");
  EXPECT_THAT(Terminal(folder_, {program, "config", "check", "bad.json"}).read_all(),
              HasSubstr("\033[1;31mbad.json:1:1:\033[0m "));
  EXPECT_THAT(Terminal(folder_, {program, "config", "check", config_}).read_all(),
              HasSubstr("\033[32mok\033[0m"));
  swapmq({"queue", "create", "q"});
  EXPECT_THAT(Terminal(folder_, {program, "queue", "stats", "q", "-c", config_}).read_all(),
              AllOf(HasSubstr("\033[1mQUEUE  READY  UNACKED  DELAYED\033[0m"), HasSubstr("q ")));
}

TEST_F(AtATerminal, NotWithNoColorNorOnADumbOne) {
  for (const char* variable : {"NO_COLOR=1", "TERM=dumb"}) {
    const std::string shown = Terminal(folder_, {program, "pubish"}, {variable}).read_all();
    EXPECT_THAT(shown, AllOf(HasSubstr("swapmq: unknown command"), Not(HasSubstr("\033["))))
        << variable;
  }
  EXPECT_THAT(swapmq({"pubish"}).err, Not(HasSubstr("\033["))) << "a file is no terminal";
}

TEST_F(AtATerminal, TheProgressLineTellsHowLongItWillTake) {
  folder_.write("lines.txt", numbered_lines(2000));
  Terminal terminal(folder_, {program, "publish", "q", "lines.txt", "--lines", "--rate", "1000",
                              "--batch", "10", "--config", config_});
  EXPECT_THAT(terminal.read_all(),
              AllOf(ContainsRegex("\r\033\\[Kpublished [0-9]+ \\([0-9]+ %\\), [0-9.k]+/s, "
                                  "[0-9.]+ s left"),
                    HasSubstr("confirmed 2000 failed 0 in_doubt 0")));
  Terminal consuming(folder_, {program, "consume", "q", "--max", "2000", "--config", config_});
  EXPECT_THAT(consuming.read_all(), HasSubstr("consumed 2000 from q"));
}

// ---- completion ---------------------------------------------------------------------------------

class Completing : public AtATerminal {
 protected:
  /// The script of a shell, as the program prints it.
  std::string script(const std::string& shell) {
    const Finished printed = run(folder_, {"completion", shell});
    EXPECT_EQ(printed.code, 0) << printed.err;
    return folder_.write("script." + shell, printed.out);
  }
  std::string candidates(Args words) {
    words.insert(words.begin(), "__complete");
    const Finished asked = run(folder_, words);
    EXPECT_EQ(asked.code, 0);
    EXPECT_EQ(asked.err, "");
    return asked.out;
  }
};

TEST_F(Completing, QueuesAreThoseOfTheConfigurationAndTheBackend) {
  swapmq({"queue", "create", "tasks", "mail"});
  const std::string config = folder_.write("with.json", R"({"message_queue": {"type": "sqlite",
    "sqlite": {"path": "queues.db"}}, "queues": {"named": {}}})");
  EXPECT_EQ(candidates({"-c", config, "publish", ""}),
            ":words\nnamed\nmail\ntasks\n@task\tby role\n@status\tby role\n@heartbeat\tby "
            "role\n@control\tby role\n");
  EXPECT_EQ(candidates({"-c", config, "publish", "ta"}), ":words\ntasks\n");
  EXPECT_EQ(candidates({"-c", config, "publish", "q", "--reply-to=m"}),
            ":words\n--reply-to=mail\n");
}

TEST_F(Completing, LookingMakesNoFileOfTheDefault) {
  EXPECT_THAT(candidates({"publish", ""}), HasSubstr("@task"));
  EXPECT_FALSE(std::ifstream(folder_.path() + "/swapmq-data/queues.db").good());
}

TEST_F(Completing, WhatElseIsNamed) {
  EXPECT_THAT(candidates({"plugin", "show", "me"}), HasSubstr("\nmemory\n"));
  EXPECT_EQ(candidates({"plugin", "show", "./x"}), ":files\n");
  EXPECT_THAT(candidates({"config", "explain", "message_queue.ty"}),
              HasSubstr("\nmessage_queue.type\t"));
  EXPECT_EQ(candidates({"switch", "-c", config_, ""}), ":words\nsqlite\n");
  EXPECT_EQ(candidates({"config", "check", ""}), ":files\n");
  EXPECT_EQ(candidates({"-c", "nowhere.json", "switch", ""}), ":words\n") << "no error, but none";
}

TEST_F(Completing, Bash) {
  const std::string source = script("bash");
  Terminal bash(folder_, {"bash", "--norc", "--noprofile", "-i"});
  bash.type("source " + source + "; PS1='re''ady> '\n"); // not what is shown of the typing
  bash.read_until("ready> ");
  bash.type("swapmq queue st\t --he\t\n");
  bash.read_until("Usage: swapmq queue stats");
  bash.type("swapmq switch --policy=tr\t\n");
  bash.read_until("TYPE is required");
  folder_.write("some.json", "{}");
  bash.type("swapmq config check so\t\n");
  bash.read_until("some.json:1:1:");
}

TEST_F(Completing, Zsh) {
  script("zsh");
  Terminal zsh(folder_, {"zsh", "-f", "-i"});
  zsh.type("autoload -U compinit; compinit -u -D; source script.zsh; PS1='re''ady> '\n");
  zsh.read_until("ready> ");
  zsh.type("swapmq queue st\t --he\t\n");
  zsh.read_until("Usage: swapmq queue stats");
  zsh.type("swapmq switch --policy=tr\t\n");
  zsh.read_until("TYPE is required");
  folder_.write("some.json", "{}");
  zsh.type("swapmq config check so\t\n");
  zsh.read_until("some.json:1:1:");
}

TEST_F(Completing, Fish) {
  const std::string source = script("fish");
  const auto completed = [&](const std::string& line) {
    return Terminal(folder_, {"fish", "--no-config", "-c",
                              "source " + source + "; complete -C '" + line + "'"})
        .read_all();
  };
  EXPECT_THAT(completed("swapmq queue st"), HasSubstr("stats\tShow how many messages"));
  EXPECT_THAT(completed("swapmq switch --policy=tr"), HasSubstr("--policy=transfer"));
  folder_.write("some.json", "{}");
  EXPECT_THAT(completed("swapmq config check so"), HasSubstr("some.json"));
}

// ---- the manual ---------------------------------------------------------------------------------

TEST_F(AtATerminal, TheManualPageIsWellFormed) {
  const Finished page = run(folder_, {"__manual", "2026-01-31"});
  EXPECT_EQ(page.code, 0);
  folder_.write("swapmq.1", page.out);
  const Finished checked =
      run(folder_, {"-T", "lint", "-W", "warning", "swapmq.1"}, {.program = "/usr/bin/mandoc"});
  EXPECT_EQ(checked.out, "");
  const Finished shown =
      run(folder_, {"-T", "ascii", "-O", "width=100", "swapmq.1"}, {.program = "/usr/bin/mandoc"});
  EXPECT_THAT(shown.out, HasSubstr("swapmq consume tasks --idle-exit 2s > jobs.txt"));
}

} // namespace
} // namespace swapmq::program_test

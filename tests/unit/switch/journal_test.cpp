// SPDX-License-Identifier: MIT
//
// The journal on disk: there as a whole or not at all, for one host at a time, without secrets.
#include "switch/journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "failpoint.h"

namespace {

namespace fs = std::filesystem;
using swapmq::Errc;
using swapmq::Failpoints;
using swapmq::switching::Journal;
using swapmq::switching::Member;
using swapmq::switching::Record;
using testing::HasSubstr;
using testing::Not;

class JournalTest : public testing::Test {
 protected:
  JournalTest() : base_((fs::temp_directory_path() / "swapmq-journal-XXXXXX").string()) {
    EXPECT_NE(mkdtemp(base_.data()), nullptr);
    folder_ = base_ + "/state";
  }
  ~JournalTest() override {
    Failpoints::watch(nullptr);
    fs::remove_all(base_);
  }
  std::unique_ptr<Journal> open() { return Journal::open(folder_).value(); }
  static void begin(Journal& journal, const std::string& key = "sqlite-1") {
    const Member member{key, "sqlite", R"({"path":"x"})"};
    const auto opened = journal.keep_options(member).value();
    const auto error = journal.change([&](Record& record) {
      record.active = key;
      record.chain = {key};
      record.visited.insert(key);
      record.members[key] = opened;
    });
    EXPECT_FALSE(error) << error.message();
  }
  std::string text(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(folder_ + "/" + name, std::ios::binary).rdbuf();
    return out.str();
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
  }

  std::string base_, folder_;
};

TEST_F(JournalTest, RemembersWhatWasWritten) {
  Record written;
  {
    const auto journal = open();
    EXPECT_TRUE(journal->fresh());
    EXPECT_TRUE(journal->durable());
    begin(*journal);
    EXPECT_FALSE(journal->add_queue("tasks"));
    written = journal->read();
  }
  const auto journal = open();
  EXPECT_FALSE(journal->fresh());
  EXPECT_EQ(journal->set_aside(), "");
  EXPECT_EQ(journal->read(), written);
  EXPECT_EQ(written.generation, 2U);
  EXPECT_FALSE(journal->add_queue("tasks"));
  EXPECT_EQ(journal->read().generation, 2U) << "it was known";
}

TEST_F(JournalTest, OfNamesWithoutEndKeepsTheFirstAndThatThereAreMore) {
  const auto journal = Journal::in_memory();
  begin(*journal);
  for (std::size_t i = 0; i < Record::max_queues + 10; ++i) {
    ASSERT_FALSE(journal->add_queue("queue-" + std::to_string(i)));
  }
  EXPECT_EQ(journal->read().queues.size(), Record::max_queues);
  EXPECT_TRUE(journal->read().more_queues);
}

TEST_F(JournalTest, InMemoryWorksAlike) {
  const auto journal = Journal::in_memory();
  EXPECT_TRUE(journal->fresh());
  EXPECT_FALSE(journal->durable());
  begin(*journal);
  EXPECT_FALSE(journal->add_queue("tasks"));
  EXPECT_EQ(journal->read().queues.count("tasks"), 1U);
  EXPECT_EQ(journal->member("sqlite-1")->options, R"({"path":"x"})");
}

TEST_F(JournalTest, BelongsToOneHostAtATime) {
  auto first = open();
  const auto second = Journal::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
  EXPECT_THAT(second.error().message(),
              HasSubstr("process " + std::to_string(getpid()) + " uses it"));
  first.reset();
  EXPECT_TRUE(Journal::open(folder_));
}

TEST_F(JournalTest, KeepsSecretsInFilesOfTheOwnerAlone) {
  const std::string options = R"({"url":"amqp://ann:hunter2@host","password":"hunter3"})";
  {
    const auto journal = open();
    begin(*journal);
    const Member member{"rabbitmq-2", "rabbitmq", options};
    const auto opened = journal->keep_options(member).value();
    EXPECT_TRUE(opened.secret);
    EXPECT_FALSE(journal->change([&](Record& r) { r.members["rabbitmq-2"] = opened; }));
  }
  EXPECT_THAT(text("journal"), Not(HasSubstr("hunter")));
  EXPECT_EQ(text("options-rabbitmq-2.json"), options);
  for (const char* name : {"journal", "options-rabbitmq-2.json", "lock", "."}) {
    EXPECT_EQ(fs::status(folder_ + "/" + name).permissions() &
                  (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << name;
  }
  const auto journal = open();
  EXPECT_EQ(journal->member("rabbitmq-2")->options, options);
  EXPECT_EQ(journal->member("sqlite-1")->options, R"({"path":"x"})");
  EXPECT_EQ(journal->member("else-3").error().code(), Errc::not_found);
  fs::remove(folder_ + "/options-rabbitmq-2.json");
  EXPECT_THAT(journal->member("rabbitmq-2").error().message(),
              HasSubstr("put its section back into the config"));
}

TEST_F(JournalTest, SetsADamagedOneAsideAndSaysSo) {
  {
    const auto journal = open();
    begin(*journal);
  }
  const std::string good = text("journal");
  std::string flipped = good;
  flipped[good.find("sqlite")] = 'x';
  std::size_t aside = 0;
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() - 1), good.substr(0, good.find('\n')),
        good.substr(0, good.size() / 2), flipped, std::string("hello\n"), good + good,
        std::string(3 << 20, 'x')}) {
    write("journal", bad);
    const auto journal = open();
    EXPECT_TRUE(journal->fresh());
    EXPECT_THAT(journal->set_aside(), HasSubstr("was set aside as journal.damaged-")) << bad.size();
    EXPECT_FALSE(fs::exists(folder_ + "/journal"));
    for (const auto& file : fs::directory_iterator(folder_)) {
      if (file.path().filename().string().starts_with("journal.damaged-")) {
        ++aside;
        EXPECT_EQ(fs::file_size(file.path()), bad.size());
        fs::remove(file.path());
      }
    }
  }
  EXPECT_EQ(aside, 8U);
}

TEST_F(JournalTest, ChangesNothingWhereItCannotWrite) {
  const auto journal = open();
  begin(*journal);
  const Record before = journal->read();
  fs::create_directories(folder_ + "/journal.new/in the way");
  EXPECT_TRUE(journal->add_queue("tasks"));
  EXPECT_TRUE(journal->change([](Record& record) { record.refused_config = "x"; }));
  EXPECT_EQ(journal->read(), before);
  fs::remove_all(folder_ + "/journal.new");
  EXPECT_FALSE(journal->add_queue("tasks"));
}

TEST_F(JournalTest, CannotBeMadeWhereAFileStands) {
  std::ofstream(folder_) << "a file";
  const auto journal = Journal::open(folder_);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message(), HasSubstr("state_dir " + folder_));
}

/// Kills this process at one of the places, counted from the first.
int kill_at = 0;
void count_down(const char* /*place*/) {
  if (--kill_at == 0) ::kill(::getpid(), SIGKILL);
}

TEST_F(JournalTest, IsTheOldOneOrTheNewOneAfterAKillAnywhere) {
  {
    const auto journal = open();
    begin(*journal);
  }
  bool seen_old = false;
  bool seen_new = false;
  for (int place = 1; place <= 5; ++place) {
    const std::uint64_t before = open()->read().generation;
    const pid_t child = ::fork();
    if (child == 0) {
      kill_at = place;
      const auto journal = Journal::open(folder_);
      Failpoints::watch(count_down);
      const bool failed = !journal || (*journal)->add_queue("queue-" + std::to_string(place));
      ::_exit(failed ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto journal = open();
    EXPECT_EQ(journal->set_aside(), "") << place;
    const bool is_new = journal->read().queues.contains("queue-" + std::to_string(place));
    EXPECT_EQ(journal->read().generation, before + (is_new ? 1 : 0));
    EXPECT_EQ(journal->read().active, "sqlite-1");
    EXPECT_EQ(WIFSIGNALED(status), place <= 4) << "there are four places";
    (is_new ? seen_new : seen_old) = true;
  }
  EXPECT_TRUE(seen_old);
  EXPECT_TRUE(seen_new);
}

} // namespace

// SPDX-License-Identifier: MIT
//
// Opening: what is made, what is refused, and what the refusal says.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

void write_file(const std::string& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary);
  file << contents;
}

void make_database(const std::string& path) {
  const Opened opened(Opened::options(path));
  ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

/// Opens it and expects a refusal that names the file.
Outcome refusal(const std::string& path) {
  const Opened opened(Opened::options(path));
  EXPECT_EQ(opened.backend, nullptr);
  EXPECT_NE(opened.outcome.text.find(path), std::string::npos) << opened.outcome;
  return opened.outcome;
}

TEST(Opening, MakesFileAndFoldersForTheirOwnerAlone) {
  const TempFolder folder;
  const std::string path = folder / "one/two/q.db";
  const Opened opened(Opened::options(path));
  ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
  EXPECT_EQ(mode_of(folder / "one"), 0700u);
  EXPECT_EQ(mode_of(folder / "one/two"), 0700u);
  SessionPtr session(opened);
  ASSERT_TRUE(session.publish_ids(session.queue("q"), {"a"}).confirmed());
  for (const char* suffix : {"", "-wal", "-shm", "-peers"}) {
    EXPECT_EQ(mode_of(path + suffix), 0600u) << suffix;
  }
}

TEST(Opening, DescribesTheDurabilityThatTheOptionsBuy) {
  const TempFolder folder;
  EXPECT_EQ(plugin().info->capabilities->durability, SWAPMQ_DURABILITY_POWER);
  for (const auto& [word, wanted] :
       std::vector<std::pair<std::string, int32_t>>{{"full", SWAPMQ_DURABILITY_POWER},
                                                    {"normal", SWAPMQ_DURABILITY_PROCESS},
                                                    {"off", SWAPMQ_DURABILITY_PROCESS}}) {
    const Opened opened(Opened::options(folder / "q.db", "\"synchronous\": \"" + word + "\""));
    ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
    swapmq_capabilities capabilities = *plugin().info->capabilities;
    swapmq_limits limits = *plugin().info->limits;
    plugin().describe(opened.backend, &capabilities, &limits);
    EXPECT_EQ(capabilities.durability, wanted) << word;
    EXPECT_EQ(limits.max_body_bytes, plugin().info->limits->max_body_bytes);
  }
}

TEST(Opening, RefusesAFolder) {
  const TempFolder folder;
  EXPECT_EQ(refusal(std::filesystem::path(folder / "").parent_path().string()).status,
            SWAPMQ_INVALID_ARGUMENT);
}

TEST(Opening, RefusesAPathThroughAFile) {
  const TempFolder folder;
  write_file(folder / "file", "x");
  const Opened opened(Opened::options(folder / "file/q.db"));
  EXPECT_EQ(opened.outcome.status, SWAPMQ_INVALID_ARGUMENT) << opened.outcome;
}

TEST(Opening, RefusesAFileThatIsNoDatabase) {
  const TempFolder folder;
  write_file(folder / "q.db", std::string(10000, 'x'));
  EXPECT_EQ(refusal(folder / "q.db").status, SWAPMQ_CORRUPT);
  std::ifstream file(folder / "q.db");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), std::string(10000, 'x'))
      << "it was touched";
}

TEST(Opening, RefusesTheDatabaseOfAnotherProgram) {
  const TempFolder folder;
  run_sql(folder / "q.db", "CREATE TABLE theirs(x); PRAGMA journal_mode = DELETE;");
  EXPECT_EQ(refusal(folder / "q.db").status, SWAPMQ_CONFLICT);
  run_sql(folder / "other.db", "PRAGMA application_id = 42; PRAGMA user_version = 1;");
  const Outcome refused = refusal(folder / "other.db");
  EXPECT_EQ(refused.status, SWAPMQ_CONFLICT);
  EXPECT_NE(refused.text.find("of another program"), std::string::npos) << refused;
  EXPECT_FALSE(std::filesystem::exists(folder / "q.db-wal")) << "it was changed";
}

TEST(Opening, RefusesANewerSchemaAndSaysBothNumbers) {
  const TempFolder folder;
  make_database(folder / "q.db");
  run_sql(folder / "q.db", "PRAGMA user_version = 7;");
  const Outcome refused = refusal(folder / "q.db");
  EXPECT_EQ(refused.status, SWAPMQ_CONFLICT);
  EXPECT_NE(refused.text.find("version 7"), std::string::npos) << refused;
  EXPECT_NE(refused.text.find("version 1"), std::string::npos) << refused;
}

TEST(Opening, RefusesTablesThatAreNotOurs) {
  const TempFolder folder;
  make_database(folder / "q.db");
  run_sql(folder / "q.db", "ALTER TABLE lanes ADD COLUMN more;");
  EXPECT_EQ(refusal(folder / "q.db").status, SWAPMQ_CORRUPT);
}

TEST(Opening, RefusesATruncatedFile) {
  const TempFolder folder;
  make_database(folder / "q.db");
  std::filesystem::resize_file(folder / "q.db", 4096 * 3);
  EXPECT_EQ(refusal(folder / "q.db").status, SWAPMQ_CORRUPT);
}

TEST(Opening, RefusesAFileThatItMayNotRead) {
  const TempFolder folder;
  make_database(folder / "q.db");
  ASSERT_EQ(chmod((folder / "q.db").c_str(), 0000), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // As root everything may be read: be somebody else.
    if (geteuid() == 0 && setuid(65534) != 0) _exit(1);
    const Opened opened(Opened::options(folder / "q.db"));
    _exit(opened.outcome.status == SWAPMQ_ACCESS_DENIED ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Opening, NoticesThatTheFileWasTakenAway) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "q.db"));
  SessionPtr session(opened);
  swapmq_queue* queue = session.queue("q");
  ASSERT_TRUE(session.publish_ids(queue, {"a"}).confirmed());
  std::filesystem::rename(folder / "q.db", folder / "away.db");
  const Published lost = session.publish_ids(queue, {"b"});
  EXPECT_EQ(lost.outcome.status, SWAPMQ_UNAVAILABLE) << lost.outcome;
  EXPECT_TRUE(lost.all(SWAPMQ_PUBLISH_FAILED)) << "confirmed into a file that nobody finds";
  std::filesystem::rename(folder / "away.db", folder / "q.db");
  EXPECT_TRUE(session.publish_ids(queue, {"b"}).confirmed());
}

TEST(Opening, SaysWhatIsWrongWithTheOptions) {
  const Opened opened("{\"path\": 1}");
  EXPECT_EQ(opened.outcome.status, SWAPMQ_INVALID_ARGUMENT);
  EXPECT_NE(opened.outcome.text.find("path"), std::string::npos) << opened.outcome;
}

TEST(Opening, FindsItsFilesWithWeirdNames) {
  const TempFolder folder;
  const Opened opened(Opened::options(folder / "file:q?mode=memory#%41 .db"));
  ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
  EXPECT_TRUE(std::filesystem::exists(folder / "file:q?mode=memory#%41 .db"));
}

} // namespace
} // namespace swapmq::test

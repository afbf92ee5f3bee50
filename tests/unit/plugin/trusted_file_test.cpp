// SPDX-License-Identifier: MIT
#include "plugin/trusted_file.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>

#include "support.h"

namespace swapmq::plugin {
namespace {

namespace fs = std::filesystem;

void mode(const std::string& path, mode_t bits) {
  ASSERT_EQ(::chmod(path.c_str(), bits), 0) << path;
}

/// A folder with a good file in it, to be made worse.
class TrustedFile : public ::testing::Test {
 protected:
  TrustedFile() : inner_(dir_.folder("inner")), file_(inner_ + "/plain.so") {
    write_bytes(file_, "bytes");
  }

  static std::string refusal(const std::string& path) {
    const auto opened = open_trusted(path);
    EXPECT_FALSE(opened) << path;
    EXPECT_EQ(opened.error().code(), Errc::plugin) << opened.error().message();
    return opened.error().message();
  }

  const TempDir dir_;
  const std::string inner_;
  const std::string file_;
};

TEST_F(TrustedFile, OpensWhatOnlyWeMayWrite) {
  const auto opened = open_trusted(file_);
  ASSERT_TRUE(opened) << opened.error().message();
  std::array<char, 16> read{};
  EXPECT_EQ(::read(opened->get(), read.data(), read.size()), 5);
  EXPECT_STREQ(read.data(), "bytes");
  EXPECT_EQ(::write(opened->get(), "x", 1), -1) << "open for reading only";
}

TEST_F(TrustedFile, SaysWhatIsAbsent) {
  for (const std::string& path : {inner_ + "/no.so", dir_ / "no/plain.so", file_ + "/plain.so"}) {
    EXPECT_EQ(open_trusted(path).error().code(), Errc::not_found) << path;
  }
  EXPECT_EQ(open_trusted("/" + std::string(5000, 'x')).error().code(), Errc::not_found);
}

TEST_F(TrustedFile, RefusesAFileThatOthersMayWrite) {
  mode(file_, 0646);
  EXPECT_THAT(refusal(file_),
              AllOf(HasSubstr("anybody may write " + file_), HasSubstr("chmod o-w " + file_)));
}

TEST_F(TrustedFile, RefusesAFolderThatOthersMayWrite) {
  mode(inner_, 0757);
  EXPECT_THAT(refusal(file_), HasSubstr("chmod o-w " + inner_));
  mode(inner_, 01777); // sticky or not: who may write there chooses the file
  EXPECT_THAT(refusal(file_), HasSubstr("anybody may write " + inner_));
}

TEST_F(TrustedFile, FoldersFurtherUpMayBeSticky) {
  mode(dir_.path(), 0777);
  EXPECT_THAT(refusal(file_), HasSubstr("anybody may write " + dir_.path()));
  mode(dir_.path(), 01777);
  EXPECT_TRUE(open_trusted(file_));
}

TEST_F(TrustedFile, RefusesWhatIsNotARegularFile) {
  const std::string pipe = inner_ + "/pipe.so";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refusal(pipe), HasSubstr("not a regular file")); // and did not wait for a writer
  fs::create_directory(inner_ + "/folder.so");
  EXPECT_THAT(refusal(inner_ + "/folder.so"), HasSubstr("directory"));
  EXPECT_THAT(refusal("/dev/null"), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal("/"), HasSubstr("directory"));
}

TEST_F(TrustedFile, FollowsLinksToWhatIsTrusted) {
  const std::string other = dir_.folder("other");
  fs::create_symlink(file_, other + "/absolute.so");
  fs::create_symlink("../inner/./plain.so", other + "/relative.so");
  fs::create_directory_symlink("inner", dir_ / "folder");
  for (const std::string& path :
       {other + "/absolute.so", other + "/relative.so", dir_ / "folder/plain.so"}) {
    EXPECT_TRUE(open_trusted(path)) << path << ": " << open_trusted(path).error().message();
  }
}

TEST_F(TrustedFile, RefusesLinksToOrFromWhereOthersWrite) {
  const std::string open = dir_.folder("open");
  fs::create_symlink(file_, open + "/plain.so");
  mode(open, 0777);
  EXPECT_THAT(refusal(open + "/plain.so"), HasSubstr("anybody may write " + open));

  write_bytes(open + "/target.so", "bytes");
  fs::create_symlink(open + "/target.so", inner_ + "/link.so");
  EXPECT_THAT(refusal(inner_ + "/link.so"), HasSubstr("anybody may write " + open));
}

TEST_F(TrustedFile, LinksThatLeadNowhereEnd) {
  fs::create_symlink("loop.so", inner_ + "/loop.so");
  EXPECT_THAT(refusal(inner_ + "/loop.so"), HasSubstr("too many symbolic links"));
  fs::create_symlink("absent.so", inner_ + "/dangling.so");
  EXPECT_EQ(open_trusted(inner_ + "/dangling.so").error().code(), Errc::not_found);
}

TEST_F(TrustedFile, ARelativePathIsOfTheCurrentFolder) {
  const fs::path relative = fs::relative(file_, fs::current_path());
  EXPECT_TRUE(open_trusted(relative.string()));
}

// Only root can give files away, so for others there is nothing of a third user's to be refused.
TEST_F(TrustedFile, RefusesFilesAndFoldersOfThirdUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a file to another user";
  constexpr uid_t kSomebody = 4242;
  constexpr gid_t kSomeGroup = 4243;
  ASSERT_EQ(::chown(file_.c_str(), kSomebody, 0), 0);
  EXPECT_THAT(refusal(file_), AllOf(HasSubstr("user \"4242\" owns " + file_), HasSubstr("chown")));
  ASSERT_EQ(::chown(file_.c_str(), 0, kSomeGroup), 0);
  EXPECT_TRUE(open_trusted(file_));
  mode(file_, 0664);
  EXPECT_THAT(refusal(file_), AllOf(HasSubstr("group \"4243\" may write"), HasSubstr("chmod g-w")));
  ASSERT_EQ(::chown(file_.c_str(), 0, 0), 0); // root's own group
  EXPECT_TRUE(open_trusted(file_)) << open_trusted(file_).error().message();

  ASSERT_EQ(::chown(inner_.c_str(), kSomebody, 0), 0);
  EXPECT_THAT(refusal(file_), HasSubstr("user \"4242\" owns " + inner_));
  ASSERT_EQ(::chown(inner_.c_str(), 0, kSomeGroup), 0);
  mode(inner_, 0775);
  EXPECT_THAT(refusal(file_), HasSubstr("group \"4243\" may write " + inner_));
  mode(inner_, 0755);
  ASSERT_EQ(::chown(dir_.path().c_str(), kSomebody, 0), 0); // further up: another user's home
  EXPECT_TRUE(open_trusted(file_));
}

TEST_F(TrustedFile, RefusesALinkOfAThirdUserInAStickyFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a link to another user";
  const std::string sticky = dir_.folder("sticky");
  fs::create_directory_symlink(inner_, sticky + "/folder");
  mode(sticky, 01777);
  EXPECT_TRUE(open_trusted(sticky + "/folder/plain.so"));
  ASSERT_EQ(::lchown((sticky + "/folder").c_str(), 4242, 0), 0);
  EXPECT_THAT(refusal(sticky + "/folder/plain.so"), HasSubstr("belongs to user \"4242\""));
}

TEST_F(TrustedFile, AnAccessControlListIsNotTrusted) {
  // u::rw-, u:4242:rw-, g::r--, m::rw-, o::r-- as the kernel stores it; the mask shows as g=rw.
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  constexpr std::uint32_t kNobody = 0xffffffffU;
  struct {
    std::uint32_t version = 2;
    std::array<Entry, 5> entries = {{{0x01, 6, kNobody},
                                     {0x02, 6, 4242},
                                     {0x04, 4, kNobody},
                                     {0x10, 6, kNobody},
                                     {0x20, 4, kNobody}}};
  } const list;
  if (::setxattr(file_.c_str(), "system.posix_acl_access", &list, sizeof list, 0) != 0) {
    GTEST_SKIP() << "this file system has no access control lists";
  }
  EXPECT_THAT(refusal(file_), HasSubstr("access control list of " + file_));
}

} // namespace
} // namespace swapmq::plugin

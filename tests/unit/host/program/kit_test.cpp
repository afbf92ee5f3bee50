// SPDX-License-Identifier: MIT
//
// plugin check with the contract kit itself; one of its tests is enough here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Kit : public testing::Test {
 protected:
  Finished check(Args more, const std::string& filter = "Settle.TwiceIsLost") {
    more.insert(more.begin(), {"plugin", "check", "memory"});
    return run(folder_, more, {.environment = {"GTEST_FILTER=" + filter}});
  }

  Folder folder_;
};

TEST_F(Kit, SaysWhatCameOfIt) {
  const Finished checked = check({});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("memory: 1 passed, 0 failed, 0 not promised\n"));
}

TEST_F(Kit, IsSilentWhenQuietAndNothingFailed) {
  const Finished checked = check({"--quiet"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.out, "");
  EXPECT_EQ(checked.err, "");
}

TEST_F(Kit, JsonIsOneDocumentAlone) {
  const Finished checked = check({"--json"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, StartsWith("{\n"));
  EXPECT_THAT(checked.out, HasSubstr("\"passed\": 1,"));
  EXPECT_THAT(checked.out, EndsWith("}\n"));
  EXPECT_EQ(checked.err, "");
}

} // namespace
} // namespace swapmq::program_test

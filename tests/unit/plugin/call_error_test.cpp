// SPDX-License-Identifier: MIT
#include "plugin/call_error.h"

#include "plugin/sha256.h"
#include "support.h"

namespace swapmq::plugin {
namespace {

TEST(OneLine, KeepsTextAndTamesTheRest) {
  EXPECT_EQ(one_line("plain", 100), "plain");
  EXPECT_EQ(one_line("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x87", 100),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x87");
  EXPECT_EQ(one_line("two\nlines\r\tand\x1b[31m\x7f", 100), "two lines  and [31m ");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3), 100), "a b");
  EXPECT_EQ(one_line("\xff\xc3\x28\xed\xa0\x80\xc0\xaf\xf8", 100), "?\?(?\?\?\?\?\?");
  EXPECT_EQ(one_line("\xe2\x82\xac\xe2\x82\xac", 5), "\xe2\x82\xac");
}

TEST(Utf8, OnlyWhatIsValidIs) {
  for (const char* good :
       {"", "a", "\xc3\xbc", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc3", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Status, EveryOneHasACodeAndNothingElse) {
  EXPECT_EQ(to_errc(SWAPMQ_OK), Errc::ok);
  EXPECT_EQ(to_errc(SWAPMQ_INVALID_ARGUMENT), Errc::invalid_argument);
  EXPECT_EQ(to_errc(SWAPMQ_NOT_SUPPORTED), Errc::not_supported);
  EXPECT_EQ(to_errc(SWAPMQ_NOT_FOUND), Errc::not_found);
  EXPECT_EQ(to_errc(SWAPMQ_CONFLICT), Errc::conflict);
  EXPECT_EQ(to_errc(SWAPMQ_UNAVAILABLE), Errc::unavailable);
  EXPECT_EQ(to_errc(SWAPMQ_TIMEOUT), Errc::timeout);
  EXPECT_EQ(to_errc(SWAPMQ_INTERRUPTED), Errc::interrupted);
  EXPECT_EQ(to_errc(SWAPMQ_RESOURCE_EXHAUSTED), Errc::resource_exhausted);
  EXPECT_EQ(to_errc(SWAPMQ_TOO_LARGE), Errc::too_large);
  EXPECT_EQ(to_errc(SWAPMQ_ACCESS_DENIED), Errc::access_denied);
  EXPECT_EQ(to_errc(SWAPMQ_CORRUPT), Errc::corrupt);
  EXPECT_EQ(to_errc(SWAPMQ_LOST), Errc::lost);
  EXPECT_EQ(to_errc(SWAPMQ_INTERNAL), Errc::internal);
  for (const swapmq_status unknown :
       {-2147483647 - 1, -2, SWAPMQ_STATUS_UNTOUCHED, SWAPMQ_STATUS_COUNT, 2147483647}) {
    EXPECT_FALSE(is_known(unknown));
    EXPECT_EQ(to_errc(unknown), Errc::internal);
  }
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string_view abc = "abc";
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span(abc.data(), abc.size()))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(normalized_sha256(std::string(64, 'A')), std::string(64, 'a'));
  for (const auto& bad : {std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
                          std::string(64, '\0'), std::string()}) {
    EXPECT_EQ(normalized_sha256(bad), "");
  }
}

// ---- what a plugin says in an error
// --------------------------------------------------------------

struct Said {
  const char* lie;
  Errc code;
  const char* text;
};

class ErrorText : public ::testing::TestWithParam<Said> {};

TEST_P(ErrorText, IsBoundedAndClean) {
  Liar liar(GetParam().lie);
  const Error error = liar.session().ping(soon());
  EXPECT_EQ(error.code(), GetParam().code);
  EXPECT_THAT(error.message(), HasSubstr(GetParam().text));
  EXPECT_THAT(error.message(), HasSubstr("lying: ping: "));
  EXPECT_LT(error.message().size(), 600U);
  EXPECT_TRUE(is_utf8(error.message()));
  EXPECT_FALSE(error.retryable());
  EXPECT_FALSE(liar.session().dead());
}

INSTANTIATE_TEST_SUITE_P(
    Lies, ErrorText,
    ::testing::Values(
        Said{"status_99", Errc::internal, "returned status 99, which the ABI does not know"},
        Said{"status_untouched", Errc::internal, "returned status -1, which the ABI does not know"},
        Said{"no_text", Errc::unavailable, "the broker cannot be reached"},
        Said{"length_forgotten", Errc::timeout, "said without a length"},
        Said{"text_dirty", Errc::corrupt, "one two  [31m ?( ?"},
        Said{"length_too_long", Errc::corrupt, "yyyyyyyy"},
        Said{"text_cut", Errc::corrupt, "\xe2\x82\xac\xe2\x82\xac"}),
    [](const auto& given) { return std::string(given.param.lie); });

TEST(ErrorMessage, ACutCharacterIsDropped) {
  Liar liar("text_cut");
  EXPECT_EQ(liar.session().ping(soon()).message().find('?'), std::string::npos);
}

TEST(ErrorMessage, AnOverwrittenStructIsNotFollowed) {
  Liar liar("error_overwritten");
  EXPECT_EQ(liar.session().ping(soon()).code(), Errc::corrupt);
}

TEST(ErrorMessage, DeadAndRetryableAreKept) {
  Liar liar("dead");
  EXPECT_FALSE(liar.session().dead());
  const Error error = liar.session().ping(soon());
  EXPECT_EQ(error.code(), Errc::unavailable);
  EXPECT_TRUE(error.retryable());
  EXPECT_TRUE(liar.session().dead());
}

} // namespace
} // namespace swapmq::plugin

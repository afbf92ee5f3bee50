// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "json_output.h"
#include "manual.h"
#include "progress.h"
#include "suggestion.h"
#include "table.h"

namespace swapmq::host {
namespace {

TEST(Suggestion, FindsWhatWasMeant) {
  const std::vector<std::string> commands{"publish", "consume", "queue", "config", "plugin"};
  EXPECT_EQ(nearest("pubish", commands), "publish");
  EXPECT_EQ(nearest("publsih", commands), "publish");
  EXPECT_EQ(nearest("pub", commands), "publish");
  EXPECT_EQ(nearest("qeueu", commands), "");
  EXPECT_EQ(nearest("quue", commands), "queue");
  EXPECT_EQ(nearest("confg", commands), "config");
  EXPECT_EQ(nearest("frobnicate", commands), "");
  EXPECT_EQ(nearest("", commands), "");
  EXPECT_EQ(nearest("p", commands), "");
  EXPECT_EQ(nearest(std::string(100'000, 'p'), commands), "");
}

TEST(Json, EscapesAndRepairs) {
  JsonWriter json;
  json.begin_object()
      .member("text", "a\"\\\n\x01")
      .member("number", std::uint64_t{18446744073709551615u})
      .member("yes", true)
      .key("list")
      .begin_array()
      .string(
          "\xff"
          "a"
          "\xc3")
      .string({})
      .end_array()
      .end_object();
  EXPECT_EQ(json.take(),
            "{\"text\":\"a\\\"\\\\\\n\\u0001\",\"number\":18446744073709551615,\"yes\":true,"
            "\"list\":[\"\xef\xbf\xbd"
            "a"
            "\xef\xbf\xbd\",\"\"]}\n");
  json.begin_array().end_array();
  EXPECT_EQ(json.take(), "[]\n") << "a writer can be used again";
}

TEST(Json, KnowsUtf8) {
  for (const char* good : {"", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xff", "\xf4\x90\x80\x80",
        "\xf0\x80\x80\x80", "\xe2\x82", "a\xc3(", "\xf0\x9f\x98"}) {
    EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(std::string(bad));
  }
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Json, Base64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Json, FromBase64) {
  for (const char* bytes : {"", "f", "fo", "foo", "foobar", "\xff\xfe\xfd"}) {
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
  }
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", "Zm9v Zm9",
                          "Zm9-", "=Zm9", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
  }
}

TEST(Progress, SaysHowLongItWillTake) {
  using namespace std::chrono_literals;
  EXPECT_EQ(progress_line("published", 500, 1000, std::nullopt, 10s), "published 500, 1000/s");
  EXPECT_EQ(progress_line("published", 500, 50, 0.25, 10s),
            "published 500 (25 %), 50/s, 30 s left");
  EXPECT_EQ(progress_line("published", 500, 50, 1.0, 10s), "published 500 (100 %), 50/s");
  EXPECT_EQ(progress_line("published", 1, 1, 1e-9, 1h), "published 1 (0 %), 1.0/s")
      << "nobody waits for that";
  EXPECT_EQ(part_of(1, 4), 0.25);
  EXPECT_EQ(part_of(1, 0), std::nullopt);
  EXPECT_EQ(part_of(5, 4), std::nullopt) << "more came meanwhile";
}

TEST(Manual, HasEveryCommandAndMarksUpNothingByChance) {
  const std::string page = manual_page("2026-01-31");
  for (const char* section :
       {".SH NAME", ".SH SYNOPSIS", ".SH COMMANDS", ".SH COMMON OPTIONS", ".SH CONFIGURATION",
        ".SH ENVIRONMENT", ".SH EXIT STATUS", ".SH EXAMPLES", ".SS swapmq publish",
        ".SS swapmq queue redrive", ".SS swapmq config explain", ".SS swapmq switch"}) {
    EXPECT_NE(page.find(section), std::string::npos) << section;
  }
  for (const char* hidden : {"__complete", "__manual"}) {
    EXPECT_EQ(page.find(hidden), std::string::npos) << hidden;
  }
}

TEST(Table, AlignsAndShowsNoControlCharacters) {
  EXPECT_EQ(format_table({{"QUEUE", "READY"}, {"a\x1b[2J", "12"}}),
            "QUEUE     READY\na\\x1b[2J  12\n");
  EXPECT_EQ(printable("a\n\x7f\xc3\xa4"), "a\\x0a\\x7f\xc3\xa4");
}

TEST(Printable, LinesStayApart) {
  EXPECT_EQ(printable_lines("a\nb\x1b\n", "; "), "a; b\\x1b; ");
  EXPECT_EQ(printable_lines("", "; "), "");
}

} // namespace
} // namespace swapmq::host

// SPDX-License-Identifier: MIT
#include "line_splitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace swapmq::host {
namespace {

void feed(LineSplitter& splitter, std::string_view bytes) {
  std::memcpy(splitter.space(bytes.size()), bytes.data(), bytes.size());
  splitter.filled(bytes.size());
}

std::vector<std::string> all(LineSplitter& splitter) {
  std::vector<std::string> lines;
  for (const auto& line : splitter.take(splitter.ready())) lines.emplace_back(line.text);
  return lines;
}

using Lines = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;
constexpr std::size_t large = 1 << 20;

TEST(LineSplitter, TheNewlineIsNotPartOfTheLine) {
  LineSplitter splitter('\n', large);
  feed(splitter, "one\ntwo\n\nthree");
  EXPECT_EQ(splitter.ready(), 3u);
  EXPECT_EQ(all(splitter), (Lines{"one", "two", ""}));
  splitter.finish();
  EXPECT_EQ(all(splitter), Lines{"three"}) << "the last line counts without a newline";
}

TEST(LineSplitter, NothingFollowsTheLastNewline) {
  LineSplitter splitter('\n', large);
  feed(splitter, "one\n");
  splitter.finish();
  EXPECT_EQ(all(splitter), Lines{"one"});
  LineSplitter empty('\n', large);
  empty.finish();
  EXPECT_EQ(empty.ready(), 0u);
}

TEST(LineSplitter, AnyByteButTheSeparator) {
  std::string odd;
  for (int c = 0; c < 256; ++c) {
    if (c != '\n') odd += static_cast<char>(c);
  }
  LineSplitter splitter('\n', large);
  feed(splitter, odd + "\n" + odd + "\r\n");
  EXPECT_EQ(all(splitter), (Lines{odd, odd + "\r"}));
}

TEST(LineSplitter, NulAsSeparator) {
  LineSplitter splitter('\0', large);
  feed(splitter, std::string_view("a\nb\0c\0", 6));
  EXPECT_EQ(all(splitter), (Lines{"a\nb", "c"}));
}

TEST(LineSplitter, EveryWayToCutTheInput) {
  const std::string input = "a\n\nbcd\nefghij\n\n\nk";
  const Lines expected{"a", "", "bcd", "efghij", "", "", "k"};
  for (std::size_t piece = 1; piece <= input.size(); ++piece) {
    for (std::size_t taken_at_once = 1; taken_at_once <= 3; ++taken_at_once) {
      LineSplitter splitter('\n', large);
      Lines lines;
      for (std::size_t at = 0; at < input.size(); at += piece) {
        feed(splitter, std::string_view(input).substr(at, piece));
        for (const auto& line : splitter.take(taken_at_once)) lines.emplace_back(line.text);
      }
      splitter.finish();
      for (const std::string& line : all(splitter)) lines.push_back(line);
      EXPECT_EQ(lines, expected) << "pieces of " << piece;
    }
  }
}

TEST(LineSplitter, TakesAtMostWhatIsAskedAndNumbersIt) {
  LineSplitter splitter('\n', large);
  feed(splitter, "1\n2\n3\n");
  const auto first = splitter.take(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].number, 2u);
  EXPECT_EQ(splitter.ready(), 1u);
  feed(splitter, "4");
  splitter.finish();
  const auto rest = splitter.take(100);
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[1].number, 4u);
  EXPECT_EQ(rest[1].text, "4");
}

TEST(LineSplitter, DropsWhatIsTooLongAndKeepsTheRest) {
  LineSplitter splitter('\n', 4);
  feed(splitter, "ok\n12345\n1234\n");
  EXPECT_EQ(splitter.take_dropped(), Numbers{2});
  EXPECT_EQ(splitter.take_dropped(), Numbers{}) << "told once";
  const auto lines = splitter.take(10);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].text, "1234");
  EXPECT_EQ(lines[1].number, 3u) << "a dropped line has its number, too";
}

TEST(LineSplitter, AnEndlessLineTakesNoMemory) {
  LineSplitter splitter('\n', 1000);
  const std::string piece(1000, 'x');
  for (int i = 0; i < 10; ++i) feed(splitter, piece);
  char* first = splitter.space(piece.size());
  for (int i = 0; i < 10'000; ++i) feed(splitter, piece);
  EXPECT_EQ(splitter.space(piece.size()), first) << "the buffer has grown";
  feed(splitter, "tail\nnext\nlast");
  EXPECT_EQ(splitter.take_dropped(), Numbers{1});
  EXPECT_EQ(all(splitter), Lines{"next"});
  splitter.finish();
  EXPECT_EQ(all(splitter), Lines{"last"});
}

TEST(LineSplitter, ADroppedLastLineIsNotPublished) {
  LineSplitter splitter('\n', 3);
  feed(splitter, "ok\n1234567");
  splitter.finish();
  EXPECT_EQ(all(splitter), Lines{"ok"});
  EXPECT_EQ(splitter.take_dropped(), Numbers{2});
}

TEST(LineSplitter, A64MiBLineOfNuls) {
  constexpr std::size_t size = 64u << 20;
  LineSplitter splitter('\n', size);
  const std::string piece(256 * 1024, '\0');
  for (std::size_t fed = 0; fed < size; fed += piece.size()) feed(splitter, piece);
  feed(splitter, "\nnext\n");
  const auto lines = splitter.take(2);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text.size(), size);
  EXPECT_EQ(lines[0].text.find_first_not_of('\0'), std::string_view::npos);
  EXPECT_EQ(lines[1].text, "next");
}

} // namespace
} // namespace swapmq::host

// SPDX-License-Identifier: MIT
//
// The corpus, and mutations of it that are the same on every run: what any compiler can do of
// fuzzing. Usage: config_replay MUTATIONS FILE-or-FOLDER...
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config_target.h"

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> corpus_of(int count, char** arguments) {
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < count; ++i) {
    if (!std::filesystem::is_directory(arguments[i])) {
      paths.emplace_back(arguments[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) corpus.push_back(read(path));
  return corpus;
}

constexpr std::string_view kTokens[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-1",
    "1e999",
    "0.5",
    "\xFF",
    "\xC3",
    "\x01",
    "{}",
    "[]",
    "\"\"",
    "/*",
    "\n",
    "9999999999999999999999",
    "\"sqlite\"",
    "\"type\":",
    "\"pool\":{}",
    "\"any\":",
    "\"tree\":[[",
    "\"one\":4",
    "[[[[[[[[[[[[[[[[",
    "\"password\":\"a@b\"",
};

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string text = corpus_[below(corpus_.size())];
    for (std::size_t times = 1 + below(4); times > 0; --times) change(text);
    return text;
  }

 private:
  // Not a distribution of <random>: their results differ between libraries.
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void change(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(below(24), text.size() - at);
    switch (below(6)) {
      case 0:
        text.erase(at, length);
        return;
      case 1:
        text.insert(at, kTokens[below(std::size(kTokens))]);
        return;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        return;
      case 3:
        text.insert(below(text.size() + 1), text.substr(at, length));
        return;
      case 4: {
        const std::string& other = corpus_[below(corpus_.size())];
        text.insert(at, other.substr(below(other.size() + 1), 1 + below(64)));
        return;
      }
      default:
        text.replace(at, length, kTokens[below(std::size(kTokens))]);
        return;
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937 random_{20240229};
};

} // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s MUTATIONS FILE-or-FOLDER...\n", arguments[0]);
    return 2;
  }
  const std::vector<std::string> corpus = corpus_of(count - 2, arguments + 2);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus\n");
    return 2;
  }
  for (const std::string& text : corpus) swapmq::fuzz::try_config(text);
  const unsigned long mutations = std::strtoul(arguments[1], nullptr, 10);
  Mutator mutator(corpus);
  for (unsigned long i = 0; i < mutations; ++i) swapmq::fuzz::try_config(mutator.next());
  std::printf("%zu texts and %lu mutations\n", corpus.size(), mutations);
  return 0;
}

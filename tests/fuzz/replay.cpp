// SPDX-License-Identifier: MIT
#include "replay.h"

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

namespace swapmq::fuzz {
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

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, std::span<const std::string_view> tokens)
      : corpus_(corpus), tokens_(tokens) {}

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
        text.insert(at, tokens_[below(tokens_.size())]);
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
        text.replace(at, length, tokens_[below(tokens_.size())]);
        return;
    }
  }

  const std::vector<std::string>& corpus_;
  std::span<const std::string_view> tokens_;
  std::mt19937 random_{20240229};
};

} // namespace

int replay(TryOne try_one, std::span<const std::string_view> tokens, int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s MUTATIONS FILE-or-FOLDER...\n", arguments[0]);
    return 2;
  }
  const std::vector<std::string> corpus = corpus_of(count - 2, arguments + 2);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus\n");
    return 2;
  }
  for (const std::string& text : corpus) try_one(text);
  const unsigned long mutations = std::strtoul(arguments[1], nullptr, 10);
  Mutator mutator(corpus, tokens);
  for (unsigned long i = 0; i < mutations; ++i) try_one(mutator.next());
  std::printf("%zu texts and %lu mutations\n", corpus.size(), mutations);
  return 0;
}

} // namespace swapmq::fuzz

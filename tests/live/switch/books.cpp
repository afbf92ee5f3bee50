// SPDX-License-Identifier: MIT
#include "books.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace switch_test {

Books::Books(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : std::filesystem::directory_iterator(folder)) paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    std::ifstream file(path);
    for (std::string word, id; file >> word >> id;) {
      if (++by_word_[word][id] == 1) in_order_[word].push_back(id);
    }
  }
}

std::vector<std::string> Books::in_order(const std::string& word) const {
  const auto of_word = in_order_.find(word);
  return of_word != in_order_.end() ? of_word->second : std::vector<std::string>{};
}

int Books::most(const std::string& word) const {
  int most = 0;
  for (const std::string& id : ids(word)) most = std::max(most, times(word, id));
  return most;
}

int Books::times(const std::string& word, const std::string& id) const {
  const auto of_word = by_word_.find(word);
  if (of_word == by_word_.end()) return 0;
  const auto found = of_word->second.find(id);
  return found != of_word->second.end() ? found->second : 0;
}

std::size_t Books::count(const std::string& word) const {
  const auto of_word = by_word_.find(word);
  return of_word != by_word_.end() ? of_word->second.size() : 0;
}

Books::Ids Books::ids(const std::string& word) const {
  Ids ids;
  const auto of_word = by_word_.find(word);
  if (of_word == by_word_.end()) return ids;
  for (const auto& [id, times] : of_word->second) ids.insert(id);
  return ids;
}

Books::Ids Books::missing() const {
  Ids missing = ids("ok");
  for (const std::string& id : ids("got")) missing.erase(id);
  return missing;
}

Books::Ids Books::twice() const {
  Ids twice;
  for (const std::string& id : ids("got")) {
    if (times("got", id) > 1) twice.insert(id);
  }
  return twice;
}

Books::Ids Books::twice_for_no_reason() const {
  Ids twice = this->twice();
  std::erase_if(twice, [this](const std::string& id) {
    const bool certain = times("ok", id) > 0;
    const bool unsettled = times("ack", id) < times("got", id);
    return !certain || unsettled;
  });
  return twice;
}

Books::Ids Books::strangers() const {
  Ids strangers = ids("got");
  std::erase_if(strangers, [this](const std::string& id) {
    return times("try", id) > 0 && times("fail", id) == 0;
  });
  return strangers;
}

Books::Ids Books::open() const {
  Ids open = ids("try");
  for (const char* ending : {"ok", "fail", "doubt"}) {
    for (const std::string& id : ids(ending)) open.erase(id);
  }
  return open;
}

std::string Books::summary() const {
  std::string text;
  for (const char* word : {"try", "ok", "fail", "doubt", "got", "ack"}) {
    text += (text.empty() ? "" : ", ") + std::string(word) + " " + std::to_string(count(word));
  }
  return text + ", missing " + std::to_string(missing().size()) + ", twice " +
         std::to_string(twice().size());
}

} // namespace switch_test

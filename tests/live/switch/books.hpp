// SPDX-License-Identifier: MIT
//
// What recorders noted of each message, each in a file of its own; see recorder.cpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace switch_test {

class Books {
 public:
  /// Of all files in the folder.
  explicit Books(const std::string& folder);

  using Ids = std::set<std::string>;
  /// How often an id was noted with that word.
  [[nodiscard]] int times(const std::string& word, const std::string& id) const;
  [[nodiscard]] std::size_t count(const std::string& word) const; ///< of ids
  [[nodiscard]] Ids ids(const std::string& word) const;

  /// As they were noted with that word, for the first time each; one file after the other.
  [[nodiscard]] std::vector<std::string> in_order(const std::string& word) const;
  /// The most times that an id was noted so.
  [[nodiscard]] int most(const std::string& word) const;

  /// Confirmed, and not handled.
  [[nodiscard]] Ids missing() const;
  /// Handled more often than once.
  [[nodiscard]] Ids twice() const;
  /// The same, though nothing explains it: it was neither in doubt, nor unsettled when a host died
  /// or a connection ended.
  [[nodiscard]] Ids twice_for_no_reason() const;
  /// Handled though nobody published it, or though that failed.
  [[nodiscard]] Ids strangers() const;
  /// Begun, and not known how it ended.
  [[nodiscard]] Ids open() const;
  [[nodiscard]] std::string summary() const;

 private:
  std::map<std::string, std::map<std::string, int>> by_word_;
  std::map<std::string, std::vector<std::string>> in_order_;
};

} // namespace switch_test

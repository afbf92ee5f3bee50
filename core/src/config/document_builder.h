// SPDX-License-Identifier: MIT
//
// Turns the reader's events into the nodes of a Document.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "config/document.h"

namespace swapmq::config {

/// A handler for rapidjson::GenericReader. Positions come from the text and not from the stream,
/// whose state is not defined during an event: between two tokens there is nothing but white space,
/// commas and colons.
class DocumentBuilder {
 public:
  DocumentBuilder(Document& document, std::string_view text);

  // NOLINTBEGIN(readability-identifier-naming): names and types are the reader's
  bool Null() { return scalar(Kind::null, 4); }
  bool Bool(bool value) { return scalar(Kind::boolean, value ? 4 : 5); }
  bool Int(int) { return false; } // numbers come as RawNumber
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* digits, unsigned length, bool copy);
  bool String(const char* chars, unsigned length, bool copy);
  bool Key(const char* chars, unsigned length, bool copy);
  bool StartObject() { return open(Kind::object); }
  bool EndObject(unsigned) { return close(); }
  bool StartArray() { return open(Kind::array); }
  bool EndArray(unsigned) { return close(); }
  // NOLINTEND(readability-identifier-naming)

  [[nodiscard]] bool too_deep() const { return too_deep_; }
  /// The innermost object or array that is open; null at the top.
  [[nodiscard]] const Node* container() const {
    return open_.empty() ? nullptr : open_.back().node;
  }
  /// Where the token after the last event begins.
  [[nodiscard]] std::size_t next_token() const;
  [[nodiscard]] std::size_t last_token() const { return last_begin_; }

 private:
  struct Open {
    Node* node;
    Node* last_child;
  };

  Node& add(Kind kind);
  bool scalar(Kind kind, std::size_t length);
  bool open(Kind kind);
  bool close();
  std::string_view keep(const char* chars, std::size_t length);
  [[nodiscard]] std::size_t string_end(std::size_t begin) const;
  void token(std::size_t begin, std::size_t end);

  Document& document_;
  std::string_view text_;
  std::vector<Open> open_;
  std::size_t last_begin_ = 0;
  std::size_t last_end_ = 0;
  std::string_view key_;
  std::size_t key_begin_ = 0;
  bool too_deep_ = false;
};

} // namespace swapmq::config

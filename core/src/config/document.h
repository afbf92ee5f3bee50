// SPDX-License-Identifier: MIT
//
// JSON text as a tree that remembers where everything stands. Built from RapidJSON's iterative
// reader; its nodes are flat, so neither parsing nor destroying recurses, and the depth is bounded,
// so walks may.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::config {

class SourceMap;

inline constexpr std::size_t kMaxTextBytes = 1024 * 1024;
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::size_t kMaxKeyBytes = 255;
/// Beyond so many errors of one text the others are left out, and that is said.
inline constexpr std::size_t kMostFindings = 1000;

enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

struct Node {
  Kind kind = Kind::null;
  bool bad_key = false;        ///< reported; not to be looked into any further
  bool bad_value = false;      ///< reported; its value is not to be used
  std::size_t begin = 0;       ///< offset of its first byte
  std::size_t end = 0;         ///< past its last byte
  std::size_t key_begin = 0;   ///< of a member: offset of the key's opening quote
  std::string_view key;        ///< of a member, decoded
  std::string_view text;       ///< a string, decoded; a number or boolean as written
  std::size_t index = 0;       ///< among its siblings
  std::size_t child_count = 0; ///< of an array or object
  const Node* parent = nullptr;
  const Node* first_child = nullptr;
  const Node* next = nullptr; ///< sibling
  bool substituted = false;   ///< a string that may be taken for the number or boolean it reads as
  bool secret = false;        ///< its text came from a file or a variable for secrets
  bool placed = false;        ///< a path that is relative to the config's folder no more
  std::string_view file;      ///< that the text came from
  std::string_view origin;    ///< who set it, if it does not stand in the text

  /// The first member of that name; null if there is none.
  [[nodiscard]] const Node* find(std::string_view name) const;
  [[nodiscard]] bool is_number() const { return kind == Kind::integer || kind == Kind::number; }
  [[nodiscard]] bool is_true() const { return kind == Kind::boolean && text == "true"; }
};

/// JSON pointer (RFC 6901) of a node; a key too long for a config is cut.
std::string pointer_of(const Node& node);
/// One step of a pointer: '~' and '/' escaped.
std::string pointer_step(std::string_view key);
/// The number, exact for integers. Only for nodes that are numbers and not bad.
long double number_of(const Node& node);
/// A text that is equal for equal values (numbers by value, members in any order).
std::string canonical(const Node& node);

/// Something wrong, placed by offset.
struct Finding {
  std::size_t offset = 0;
  std::string pointer;
  std::string message;
  Errc code = Errc::config;
  std::string expected; ///< if it is the type that is wrong: the types that would do, in words
  std::string origin{}; ///< who set the value, if it does not stand in the text
};

using Findings = std::vector<Finding>;

Finding at_value(const Node& node, std::string message);
/// The node is a member.
Finding at_key(const Node& node, std::string message);

/// A parsed text. Not copyable; nodes stay where they are when it is moved.
class Document {
 public:
  /// At most kMaxTextBytes; a byte order mark is the caller's to remove.
  explicit Document(std::string_view text);
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document() = default;

  /// Null if the text is not JSON: then the last finding says why.
  [[nodiscard]] const Node* root() const { return root_; }
  /// The JSON of a node as written.
  [[nodiscard]] std::string_view source(const Node& node) const;
  /// Syntax errors, duplicate and overlong keys, numbers out of range, NUL in strings.
  [[nodiscard]] const Findings& findings() const { return findings_; }

  // Changing it, once it is parsed. Nodes stay where they are.

  /// A node of this document, to be changed.
  Node& edit(const Node& node) { return const_cast<Node&>(node); } // NOLINT: all of them are ours
  /// A view that lives as long as the document.
  std::string_view keep(std::string text);
  /// Makes it a string without children.
  void set_text(Node& node, std::string text);
  /// The member of that name, new if there is none. The node is an object.
  Node& member(Node& object, std::string_view key);
  /// Makes the node what the root of the value is; its key stays. The value has a root.
  void graft(Node& node, Document value);

 private:
  friend class DocumentBuilder;
  void parse();
  void inspect(Node& node, const SourceMap& places);
  void inspect_key(Node& node);
  void find_duplicates(const Node& object, const SourceMap& places);
  void report(std::size_t offset, std::string pointer, std::string message);

  std::vector<char> text_;
  std::deque<std::string> kept_;
  std::vector<std::unique_ptr<Document>> grafts_;
  std::vector<char> strings_; ///< what keys and texts view; never grows beyond its capacity
  std::deque<Node> nodes_;
  const Node* root_ = nullptr;
  Findings findings_;
};

} // namespace swapmq::config

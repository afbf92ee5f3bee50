// SPDX-License-Identifier: MIT
#include "switch/record.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <optional>

#include "config/document.h"
#include "config/queue_name.h"
#include "config/text.h"

namespace swapmq::switching {
namespace {

using config::Document;
using config::Kind;
using config::Node;
using Buffer = rapidjson::StringBuffer;
using Writer = rapidjson::Writer<Buffer>;

constexpr std::int64_t format = 1;

void put(Writer& out, std::string_view text) {
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

template <class Texts>
void put_all(Writer& out, const char* key, const Texts& texts) {
  out.Key(key);
  out.StartArray();
  for (const std::string& text : texts) put(out, text);
  out.EndArray();
}

void put_left(Writer& out, const Record& record) {
  out.Key("left");
  out.StartObject();
  for (const auto& [member, sizes] : record.left) {
    put(out, member);
    out.StartObject();
    for (const auto& [queue, size] : sizes) {
      put(out, queue);
      out.Uint64(size);
    }
    out.EndObject();
  }
  out.EndObject();
}

void put_policies(Writer& out, const Record& record) {
  out.Key("policies");
  out.StartObject();
  for (const auto& [member, policy] : record.policies) {
    put(out, member);
    put(out, to_string(policy));
  }
  out.EndObject();
}

void put_members(Writer& out, const Record& record) {
  out.Key("members");
  out.StartObject();
  for (const auto& [key, member] : record.members) {
    put(out, key);
    out.StartObject();
    out.Key("name");
    put(out, member.name);
    out.Key("options");
    put(out, member.options);
    out.Key("secret");
    out.Bool(member.secret);
    out.EndObject();
  }
  out.EndObject();
}

/// Reads the members of an object; the first thing that is wrong stays.
class Reader {
 public:
  explicit Reader(const Node& object) : object_(object) {}

  std::string text(const char* key) {
    const Node* node = find(key, Kind::string);
    return node != nullptr ? std::string(node->text) : std::string();
  }
  std::uint64_t number(const char* key) {
    const Node* node = find(key, Kind::integer);
    return node != nullptr ? unsigned_of(*node) : 0;
  }
  template <class Texts>
  void texts(const char* key, Texts& to) {
    const Node* node = find(key, Kind::array);
    for (node = node != nullptr ? node->first_child : nullptr; node != nullptr; node = node->next) {
      if (node->kind != Kind::string) return wrong(key);
      to.insert(to.end(), std::string(node->text));
    }
  }
  bool flag(const char* key) {
    const Node* node = find(key, Kind::boolean);
    return node != nullptr && node->is_true();
  }
  const Node* object(const char* key) { return find(key, Kind::object); }
  std::uint64_t unsigned_of(const Node& node) {
    const bool good = node.kind == Kind::integer && config::number_of(node) >= 0;
    if (!good) wrong(node.key);
    return good ? static_cast<std::uint64_t>(config::number_of(node)) : 0;
  }
  void wrong(std::string_view key) {
    if (why_.empty()) why_ = config::quoted(key) + " is missing or not what it should be";
  }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  const Node* find(const char* key, Kind kind) {
    const Node* node = object_.find(key);
    if (node != nullptr && node->kind == kind) return node;
    wrong(key);
    return nullptr;
  }

  const Node& object_;
  std::string why_;
};

void read_left(Reader& in, Record& record) {
  const Node* left = in.object("left");
  const Node* member = left != nullptr ? left->first_child : nullptr;
  for (; member != nullptr; member = member->next) {
    if (member->kind != Kind::object) return in.wrong("left");
    Record::Sizes& sizes = record.left[std::string(member->key)];
    for (const Node* queue = member->first_child; queue != nullptr; queue = queue->next) {
      sizes[std::string(queue->key)] = in.unsigned_of(*queue);
    }
  }
}

/// Journals of before there were policies have none.
void read_policies(Reader& in, const Node& root, Record& record) {
  if (root.find("strict") != nullptr) record.strict = in.flag("strict");
  if (root.find("holds") != nullptr) record.holds = in.flag("holds");
  if (root.find("policies") == nullptr) return;
  const Node* policies = in.object("policies");
  const Node* member = policies != nullptr ? policies->first_child : nullptr;
  for (; member != nullptr; member = member->next) {
    const auto known = {BacklogPolicy::drain, BacklogPolicy::transfer, BacklogPolicy::leave};
    const auto* const policy =
        std::find_if(known.begin(), known.end(), [&](const BacklogPolicy one) {
          return member->kind == Kind::string && to_string(one) == member->text;
        });
    if (policy == known.end()) return in.wrong("policies");
    record.policies[std::string(member->key)] = *policy;
  }
}

void read_members(Reader& in, Record& record) {
  const Node* members = in.object("members");
  const Node* member = members != nullptr ? members->first_child : nullptr;
  for (; member != nullptr; member = member->next) {
    if (member->kind != Kind::object) return in.wrong("members");
    Reader one(*member);
    record.members[std::string(member->key)] = {one.text("name"), one.text("options"),
                                                one.flag("secret")};
    if (!one.why().empty()) return in.wrong("members");
  }
}

/// What a record of ours always keeps; empty: it does.
std::string broken_rule(const Record& record) {
  const auto visited = [&](const std::string& key) { return record.visited.contains(key); };
  const auto member = [&](const std::string& key) { return record.members.contains(key); };
  if (record.chain.empty() || record.chain.back() != record.active) {
    return "the active backend is not the last of the chain";
  }
  if (std::set(record.chain.begin(), record.chain.end()).size() != record.chain.size()) {
    return "a backend is in the chain twice";
  }
  if (!std::all_of(record.chain.begin(), record.chain.end(), visited)) {
    return "a backend of the chain is not among the visited ones";
  }
  if (!std::all_of(record.visited.begin(), record.visited.end(), member)) {
    return "a visited backend has no options";
  }
  for (const auto& [key, policy] : record.policies) {
    if (!member(key)) return "a backend with a policy has no options";
  }
  for (const std::string& queue : record.queues) {
    if (const Error error = config::check_queue_name(queue)) return error.message();
  }
  return {};
}

} // namespace

std::string to_json(const Record& record) {
  Buffer buffer;
  Writer out(buffer);
  out.StartObject();
  out.Key("format");
  out.Int64(format);
  out.Key("generation");
  out.Uint64(record.generation);
  out.Key("active");
  put(out, record.active);
  out.Key("before");
  put(out, record.before);
  put_all(out, "chain", record.chain);
  put_all(out, "visited", record.visited);
  put_left(out, record);
  put_policies(out, record);
  out.Key("strict");
  out.Bool(record.strict);
  out.Key("holds");
  out.Bool(record.holds);
  out.Key("refused_config");
  put(out, record.refused_config);
  put_all(out, "queues", record.queues);
  out.Key("more_queues");
  out.Bool(record.more_queues);
  put_members(out, record);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Record> record_from(std::string_view json) {
  const auto damaged = [](const std::string& why) { return Error(Errc::corrupt, why); };
  const Document document(json);
  if (!document.findings().empty()) return damaged(document.findings().front().message);
  if (document.root()->kind != Kind::object) return damaged("it is not a JSON object");
  Reader in(*document.root());
  Record record;
  if (in.number("format") != format) {
    return damaged("its \"format\" is not " + std::to_string(format) +
                   ", the only one that this version of swapmq knows");
  }
  record.generation = in.number("generation");
  record.active = in.text("active");
  record.before = in.text("before");
  in.texts("chain", record.chain);
  in.texts("visited", record.visited);
  read_left(in, record);
  read_policies(in, *document.root(), record);
  record.refused_config = in.text("refused_config");
  in.texts("queues", record.queues);
  record.more_queues = in.flag("more_queues");
  read_members(in, record);
  if (!in.why().empty()) return damaged(in.why());
  if (std::string why = broken_rule(record); !why.empty()) return damaged(why);
  return record;
}

} // namespace swapmq::switching

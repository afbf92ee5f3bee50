// SPDX-License-Identifier: MIT
#include "plugin/negotiation.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/call_error.h"
#include "plugin/plugin.h"

namespace swapmq::plugin {
namespace {

// ---- stubs of optional slots --------------------------------------------------------------------

void describe_stub(swapmq_backend*, swapmq_capabilities*, swapmq_limits*) {}
const void* extension_stub(const char*) { return nullptr; }

// ---- the vtable ---------------------------------------------------------------------------------

struct Slot {
  const char* name;
  std::size_t offset;
};

#define SWAPMQ_SLOT(slot) \
  { #slot, offsetof(swapmq_backend_vtable, slot) }
/// What 0.0 had: every one is mandatory.
constexpr Slot kMandatory[] = {
    SWAPMQ_SLOT(open),          SWAPMQ_SLOT(close),        SWAPMQ_SLOT(session_open),
    SWAPMQ_SLOT(session_close), SWAPMQ_SLOT(ping),         SWAPMQ_SLOT(queue_open),
    SWAPMQ_SLOT(create_queue),  SWAPMQ_SLOT(delete_queue), SWAPMQ_SLOT(queue_stats),
    SWAPMQ_SLOT(purge_queue),   SWAPMQ_SLOT(publish),      SWAPMQ_SLOT(subscribe),
    SWAPMQ_SLOT(exchange),      SWAPMQ_SLOT(unsubscribe),  SWAPMQ_SLOT(service),
    SWAPMQ_SLOT(interrupt),
};
#undef SWAPMQ_SLOT

constexpr std::size_t kOldestVtable = offsetof(swapmq_backend_vtable, describe);

Error refused(std::string why) { return {Errc::plugin, std::move(why)}; }

template <class T>
bool is_aligned(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignof(T) == 0;
}

/// Copies what both sides know of a struct whose writer set struct_size; the rest is zero.
template <class T>
T known_part(const T* from) {
  T to{};
  std::memcpy(&to, from, std::min<std::size_t>(from->struct_size, sizeof(T)));
  to.struct_size = sizeof(T);
  return to;
}

Error check_version(std::uint32_t plugin, const HostAbi& host) {
  const bool same_major = SWAPMQ_ABI_MAJOR_OF(plugin) == SWAPMQ_ABI_MAJOR_OF(host.newest);
  if (same_major && plugin >= host.oldest) return {};
  const std::string speaks = "it is built for ABI " + abi_text(plugin) + ", this host speaks " +
                             abi_text(host.newest) + " (and plugins back to " +
                             abi_text(host.oldest) + "); ";
  return refused(speaks + (plugin > host.newest ? "use a newer host, or a build of the plugin for "
                                                  "this one"
                                                : "build the plugin anew for this host"));
}

Result<swapmq_backend_vtable> check_vtable(const swapmq_backend_vtable* given,
                                           const HostAbi& host) {
  if (!is_aligned(given)) return refused("its vtable is not aligned");
  // A vtable of another major may have nothing but these two in common with ours.
  if (Error error = check_version(given->abi_version, host)) return error;
  if (given->struct_size < kOldestVtable) {
    return refused("its vtable has a struct_size of " + std::to_string(given->struct_size) +
                   " bytes, ABI " + abi_text(host.oldest) + " has " +
                   std::to_string(kOldestVtable) + "; set it to sizeof(swapmq_backend_vtable)");
  }
  swapmq_backend_vtable table = known_part(given);
  for (const Slot& slot : kMandatory) {
    void* function = nullptr;
    std::memcpy(&function, reinterpret_cast<const std::byte*>(&table) + slot.offset,
                sizeof function);
    if (function == nullptr) {
      return refused(std::string("its vtable lacks the mandatory function \"") + slot.name + "\"");
    }
  }
  if (table.describe == nullptr) table.describe = &describe_stub;
  if (table.extension == nullptr) table.extension = &extension_stub;
  return table;
}

// ---- what it says of itself ---------------------------------------------------------------------

/// A bounded, non-empty string of valid UTF-8; `error` says what is wrong otherwise.
std::string read_text(const char* text, const char* field, std::size_t max_bytes, Error& error) {
  if (error) return {};
  const std::string name = std::string("\"") + field + "\" in its plugin info ";
  if (text == nullptr) {
    error = refused(name + "is NULL");
    return {};
  }
  const std::size_t length = ::strnlen(text, max_bytes + 1);
  std::string read(text, std::min(length, max_bytes));
  if (length == 0) error = refused(name + "is empty");
  if (length > max_bytes) {
    error = refused(name + "is longer than " + std::to_string(max_bytes) + " bytes");
  }
  if (!error && !is_utf8(read)) error = refused(name + "is not valid UTF-8");
  return read;
}

Error check_schema(const std::string& schema) {
  rapidjson::Document document;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | // depth cannot overflow the stack
                              rapidjson::kParseValidateEncodingFlag;
  document.Parse<kFlags>(schema.data(), schema.size());
  if (document.HasParseError()) {
    return refused("\"options_schema\" in its plugin info is not JSON: " +
                   std::string(rapidjson::GetParseError_En(document.GetParseError())) +
                   " (at byte " + std::to_string(document.GetErrorOffset()) + ")");
  }
  if (!document.IsObject()) {
    return refused("\"options_schema\" in its plugin info is not a JSON object");
  }
  return {};
}

Error read_strings(const swapmq_plugin_info& info, const std::string& name,
                   PluginDescription& description) {
  constexpr std::size_t kMaxWord = 256;
  constexpr std::size_t kMaxLine = 1024;
  constexpr std::size_t kMaxSchema = std::size_t{1} << 20;
  Error error;
  description.name = read_text(info.name, "name", kMaxWord, error);
  description.version = read_text(info.version, "version", kMaxWord, error);
  description.license = read_text(info.license, "license", kMaxWord, error);
  description.summary = read_text(info.description, "description", kMaxLine, error);
  description.options_schema = read_text(info.options_schema, "options_schema", kMaxSchema, error);
  if (error) return error;
  if (description.name != name) {
    return refused("it says that its name is \"" + one_line(description.name, kMaxWord) +
                   "\", its file's name says \"" + name + "\"; the two must agree");
  }
  for (std::string* line : {&description.version, &description.license, &description.summary}) {
    *line = one_line(*line, kMaxLine);
  }
  return check_schema(description.options_schema);
}

/// The part of a described struct that we know; nothing if it is missing or too small to be one.
template <class T>
std::optional<T> read_struct(const T* given) {
  if (given == nullptr || !is_aligned(given) || given->struct_size < sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  return known_part(given);
}

Error read_grades(const swapmq_plugin_info& info, Negotiated& negotiated) {
  const auto capabilities = read_struct(info.capabilities);
  if (!capabilities) return refused("its plugin info has no capabilities, or none of a valid size");
  const auto limits = read_struct(info.limits);
  if (!limits) return refused("its plugin info has no limits, or none of a valid size");
  if (auto why = wrong_capabilities(*capabilities); !why.empty()) return refused(why);
  if (auto why = wrong_limits(*limits); !why.empty()) return refused(why);
  negotiated.capabilities = *capabilities;
  negotiated.limits = *limits;
  return {};
}

Error read_info(const std::string& name, Negotiated& negotiated) {
  const swapmq_plugin_info* given = negotiated.vtable.info;
  if (given == nullptr || !is_aligned(given)) return refused("its vtable has no plugin info");
  constexpr std::size_t kOldestInfo = offsetof(swapmq_plugin_info, limits) + sizeof(void*);
  if (given->struct_size < kOldestInfo) {
    return refused("its plugin info has a struct_size of " + std::to_string(given->struct_size) +
                   " bytes, needed are " + std::to_string(kOldestInfo));
  }
  const swapmq_plugin_info info = known_part(given);
  if (Error error = read_strings(info, name, negotiated.description)) return error;
  return read_grades(info, negotiated);
}

/// Of the powers that this host knows, those that the plugin has.
std::vector<std::string> read_extensions(const swapmq_backend_vtable& vtable) {
  std::vector<std::string> had;
  for (const char* name :
       {SWAPMQ_EXTENSION_LIST_QUEUES, SWAPMQ_EXTENSION_CLAIM_DELAYED, SWAPMQ_EXTENSION_PEEK}) {
    if (vtable.extension(name) != nullptr) had.emplace_back(name);
  }
  return had;
}

} // namespace

std::string abi_text(std::uint32_t version) {
  return std::to_string(SWAPMQ_ABI_MAJOR_OF(version)) + "." +
         std::to_string(SWAPMQ_ABI_MINOR_OF(version));
}

std::string wrong_capabilities(const swapmq_capabilities& c) {
  struct Graded {
    const char* name;
    std::int32_t value, highest;
  };
  const Graded all[] = {
      {"durability", c.durability, SWAPMQ_DURABILITY_REPLICATED},
      {"ordering", c.ordering, SWAPMQ_ORDERING_KEY},
      {"sharing", c.sharing, SWAPMQ_SHARING_NETWORK},
      {"delayed_publish", c.delayed_publish, SWAPMQ_NATIVE},
      {"delayed_nack", c.delayed_nack, SWAPMQ_NATIVE},
      {"ttl", c.ttl, SWAPMQ_NATIVE},
      {"priority", c.priority, SWAPMQ_NATIVE},
      {"release", c.release, SWAPMQ_NATIVE},
      {"dead_letter", c.dead_letter, SWAPMQ_NATIVE},
      {"deduplication", c.deduplication, SWAPMQ_NATIVE},
      {"purge", c.purge, SWAPMQ_NATIVE},
      {"counts_crashes", c.counts_crashes, SWAPMQ_NATIVE},
      {"max_length", c.max_length, SWAPMQ_NATIVE},
  };
  for (const Graded& graded : all) {
    if (graded.value < 0 || graded.value > graded.highest) {
      return std::string("its capability \"") + graded.name + "\" has the unknown grade " +
             std::to_string(graded.value);
    }
  }
  return {};
}

std::string wrong_limits(const swapmq_limits& limits) {
  if (limits.max_delay_ms < 0) return "its limit \"max_delay_ms\" is negative";
  if (limits.queue_name_alphabet != nullptr) {
    constexpr std::size_t kBytes = 256;
    const std::size_t length = ::strnlen(limits.queue_name_alphabet, kBytes + 1);
    if (length == 0) return "its limit \"queue_name_alphabet\" allows no name";
    if (length > kBytes) return "its limit \"queue_name_alphabet\" is longer than all bytes";
  }
  return {};
}

Result<Negotiated> negotiate(swapmq_backend_entry_fn entry, const std::string& name,
                             const HostAbi& host) {
  ErrorBuffer buffer;
  const swapmq_backend_vtable* given = entry(host.newest, buffer.lend());
  if (given == nullptr) {
    const std::string said = buffer.text();
    return refused("it does not serve this host's ABI " + abi_text(host.newest) + ": " +
                   (said.empty() ? "its entry returned NULL and gave no reason" : said));
  }
  const auto vtable = check_vtable(given, host);
  if (!vtable) return vtable.error();
  Negotiated negotiated;
  negotiated.vtable = *vtable;
  if (Error error = read_info(name, negotiated)) return error;
  negotiated.description.abi_version = abi_text(negotiated.vtable.abi_version);
  negotiated.description.capabilities =
      capability_words(negotiated.capabilities, negotiated.limits);
  negotiated.description.limits = limit_values(negotiated.limits);
  negotiated.description.extensions = read_extensions(negotiated.vtable);
  return negotiated;
}

} // namespace swapmq::plugin

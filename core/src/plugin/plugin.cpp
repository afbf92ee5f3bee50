// SPDX-License-Identifier: MIT
//
// From a name to a usable plugin: search, trust, pin, map, negotiate.
#include "plugin/plugin.h"

#include <filesystem>
#include <map>
#include <utility>

#include "plugin/elf_check.h"
#include "plugin/library.h"
#include "plugin/negotiation.h"
#include "plugin/search.h"
#include "plugin/sha256.h"
#include "plugin/trusted_file.h"
#include "probe/trial.h"
#include "thread_safety.h"

namespace swapmq::plugin {
namespace {

class LoadedPlugin final : public Plugin {
 public:
  LoadedPlugin(std::shared_ptr<const Library> library, Negotiated negotiated, std::string path)
      : library_(std::move(library)) {
    vtable_ = negotiated.vtable;
    capabilities_ = negotiated.capabilities;
    limits_ = negotiated.limits;
    description_ = std::move(negotiated.description);
    description_.path = std::move(path);
  }
  [[nodiscard]] const SealedCopy& image() const override { return library_->image(); }

 private:
  std::shared_ptr<const Library> library_;
};

using PluginPtr = std::shared_ptr<const Plugin>;

/// What was loaded from where. Never destroyed, as the libraries are never unmapped.
struct Loaded {
  Mutex mutex;
  std::map<std::pair<const Library*, std::string>, PluginPtr> plugins SWAPMQ_GUARDED_BY(mutex);
};

Loaded& loaded() {
  static auto* const made = new Loaded;
  return *made;
}

Error check_pin(const SealedCopy& copy, const std::string& pin) {
  if (pin.empty()) return {};
  const std::string expected = normalized_sha256(pin);
  if (expected.empty()) {
    return {Errc::plugin, "the sha256 pin " + shown(pin) + " is not 64 hexadecimal digits"};
  }
  const std::string actual = sha256_hex(copy.bytes());
  if (actual == expected) return {};
  return {Errc::plugin, "its sha256 is " + actual + ", pinned is " + expected +
                            "; it was not loaded. Install the pinned build, or change the pin"};
}

Result<PluginPtr> load_copy(std::unique_ptr<SealedCopy> copy, const std::string& name,
                            const std::string& path) {
  auto library = Library::map(std::move(copy));
  if (!library) return library.error();
  Loaded& all = loaded();
  const Lock lock(all.mutex);
  PluginPtr& known = all.plugins[{library->get(), path}];
  if (known != nullptr) return known;
  auto negotiated = negotiate((*library)->entry(), name);
  if (!negotiated) {
    all.plugins.erase({library->get(), path});
    return negotiated.error();
  }
  known = std::make_shared<LoadedPlugin>(std::move(*library), std::move(*negotiated), path);
  return known;
}

/// not_found: there is no such file, look elsewhere. Texts do not repeat the path.
Result<PluginPtr> load_file(const std::string& path, const std::string& name,
                            const std::string& pin) {
  auto file = open_trusted(path);
  if (!file) return file.error();
  auto copy = SealedCopy::read(file->get(), name);
  if (!copy) return copy.error();
  if (Error error = check_pin(**copy, pin)) return error;
  if (auto why = why_not_loadable((*copy)->bytes()); !why.empty()) return Error(Errc::plugin, why);
  if (!Library::is_mapped(**copy)) {
    if (Error error = probe::try_loading(**copy, name, path)) return error;
  }
  return load_copy(std::move(*copy), name, path);
}

Error bad_name(std::string_view name) {
  return {Errc::invalid_argument,
          "plugin name " + shown(name) +
              " is not possible; a name has 1 to 64 of the characters a-z, 0-9 and _"};
}

Result<PluginPtr> load_by_path(const LoadRequest& request) {
  if (request.name_or_path.find('\0') != std::string::npos) return bad_name(request.name_or_path);
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(request.name_or_path, error);
  const std::string full = error ? request.name_or_path : path.lexically_normal().string();
  const std::string stem = path.stem().string();
  if (path.extension() != kPluginSuffix || !is_plugin_name(stem)) {
    return Error(Errc::invalid_argument,
                 "plugin file " + shown(request.name_or_path) +
                     " cannot be a plugin's; it is called NAME.so, with 1 to 64 of the characters "
                     "a-z, 0-9 and _ in its NAME");
  }
  auto found = load_file(full, stem, request.sha256);
  if (found) return found;
  return Error(Errc::plugin, "plugin " + full + ": " + found.error().message(),
               found.error().retryable());
}

/// "FILE (REASON), FILE (REASON)"
class Tried {
 public:
  void add(const std::string& path, const Error& error) {
    text_ += (text_.empty() ? "" : ", ") + path + " (" + error.message() + ")";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Result<PluginPtr> load_by_name(const LoadRequest& request) {
  const std::string& name = request.name_or_path;
  if (!is_plugin_name(name)) return bad_name(name);
  Tried tried;
  for (const std::string& path : candidates(name, request.plugin_path)) {
    auto found = load_file(path, name, request.sha256);
    if (found) return found;
    const Error error = found.error();
    if (error.code() == Errc::not_found) {
      tried.add(path, error);
      continue;
    }
    // A file that must not be used hides the ones behind it: going on would hide the fault.
    std::string message = "plugin \"" + name + "\": " + path + ": " + error.message();
    if (!tried.text().empty()) message += "; tried before it: " + tried.text();
    return Error(Errc::plugin, std::move(message), error.retryable());
  }
  return Error(Errc::plugin, "plugin \"" + name + "\" was not found; tried " + tried.text() +
                                 "; put " + name +
                                 ".so into one of these folders, or name its folder in "
                                 "plugin_path or SWAPMQ_PLUGIN_PATH");
}

} // namespace

Result<std::shared_ptr<const Plugin>> Plugin::adopt(std::unique_ptr<SealedCopy> image,
                                                    const std::string& name,
                                                    const std::string& path) {
  return load_copy(std::move(image), name, path);
}

Result<std::shared_ptr<const Plugin>> Plugin::load(const LoadRequest& request) {
  const bool is_path = request.name_or_path.find('/') != std::string::npos;
  return is_path && request.allow_path ? load_by_path(request) : load_by_name(request);
}

} // namespace swapmq::plugin

// SPDX-License-Identifier: MIT
#include "option_check.h"

#include <algorithm>
#include <filesystem>

#include "config/adapter.h"
#include "config/render.h"
#include "config/schema.h"
#include "config/validator.h"

namespace swapmq::contract {

CheckedOptions check_options(const std::string& options, const std::string& schema_json) {
  CheckedOptions checked;
  checked.json = options;
  if (schema_json.empty()) return checked;
  const config::Schema schema(schema_json);
  if (!schema.error().empty()) {
    checked.schema_error = "the options schema of the plugin cannot be used: " + schema.error();
    return checked;
  }
  config::Document document(options);
  config::Findings findings = document.findings();
  if (document.root() != nullptr && document.root()->kind != config::Kind::object) {
    findings.push_back(config::at_value(*document.root(), "must be a JSON object"));
  } else if (document.root() != nullptr) {
    std::error_code ignored; // without a working directory paths stay relative
    config::Adapter adapter(document, std::filesystem::current_path(ignored).string());
    config::Validator(schema, adapter).check(*document.root(), findings);
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const auto& one, const auto& other) { return one.offset < other.offset; });
  for (const config::Finding& finding : findings) {
    checked.wrong.push_back((finding.pointer.empty() ? "" : finding.pointer + ": ") +
                            finding.message);
  }
  if (checked.wrong.empty()) checked.json = config::to_json(*document.root());
  return checked;
}

} // namespace swapmq::contract

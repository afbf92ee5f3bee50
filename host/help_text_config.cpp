// SPDX-License-Identifier: MIT
//
// The prose of --help for the commands about configurations.
#include "help_text.h"

namespace swapmq::host::help {

const char* const config = R"(Check, show and explain configurations.)";

const char* const config_check =
    R"(Check a configuration: syntax, keys, values, and the options of every backend that it names.

Every error is named with line, column and JSON pointer, one a line on standard error.
Nothing is opened.)";

const char* const config_check_footer =
    R"(Without FILE: the one of --config or SWAPMQ_CONFIG.

What the environment and --set say is checked with it; an error there names the variable or option.

Exit codes: 0 nothing is wrong; 3 something is; 4 all that is wrong is a plugin.)";

const char* const config_show = R"(Show a configuration as it counts.

That is with the values of ${VARIABLES} in their places, what SWAPMQ_SET__... and --set say, and
relative paths in the folder of the file. Secrets are shown as ***, and what is read from a file as
the name of the file.)";

const char* const config_show_footer =
    R"(Without FILE: the one of --config or SWAPMQ_CONFIG, else the
embedded default. A configuration that is wrong is not shown: its errors are.

Exit codes: as of 'swapmq config check'.

Examples:
  swapmq config show swapmq.json
  SWAPMQ_SET__message_queue__type=memory swapmq config show swapmq.json
  swapmq config show swapmq.json --set message_queue.max_retries=0)";

const char* const config_schema = R"(Print the JSON Schema (draft 4) of configurations.

It holds the keys that all share, and a section for each plugin that can be found. Editors complete
and check by it.)";

const char* const config_schema_footer = R"(Examples:
  swapmq config schema > swapmq.schema.json
  swapmq config schema | jq '.properties.message_queue.properties | keys')";

const char* const config_explain =
    R"(Explain a key of configurations: what it means, its type, default, unit and an example.

KEY is written message_queue.max_retries or /message_queue/max_retries; the end of it will do where
only one key ends so. Options of backends are explained for each plugin that can be found. Without
KEY: a list of all.)";

const char* const config_explain_footer = R"(Exit codes: 0 done; 2 there is no such key, or several.

Examples:
  swapmq config explain max_retries
  swapmq config explain redis_stream.url
  swapmq config explain tls             # which of them?
  swapmq config explain --json)";

} // namespace swapmq::host::help

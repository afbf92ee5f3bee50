// SPDX-License-Identifier: MIT
//
// The prose of --help: descriptions (their first line is shown in the list of commands) and what
// follows the options.
#pragma once

namespace swapmq::host::help {

extern const char* const program;
extern const char* const program_footer;
extern const char* const publish;
extern const char* const publish_footer;
extern const char* const consume;
extern const char* const consume_footer;
extern const char* const queue;
extern const char* const queue_create;
extern const char* const queue_delete;
extern const char* const queue_stats;
extern const char* const queue_stats_footer;
extern const char* const queue_purge;
extern const char* const queue_list;
extern const char* const queue_peek;
extern const char* const queue_peek_footer;
extern const char* const queue_redrive;
extern const char* const queue_redrive_footer;
extern const char* const config;
extern const char* const config_check;
extern const char* const config_check_footer;
extern const char* const config_show;
extern const char* const config_show_footer;
extern const char* const config_schema;
extern const char* const config_schema_footer;
extern const char* const config_explain;
extern const char* const config_explain_footer;
extern const char* const plugin;
extern const char* const plugin_new;
extern const char* const plugin_new_footer;
extern const char* const plugin_list;
extern const char* const plugin_show;
extern const char* const plugin_check;
extern const char* const plugin_check_footer;
extern const char* const run;
extern const char* const run_footer;
extern const char* const status;
extern const char* const status_footer;
extern const char* const change; ///< switch
extern const char* const change_footer;
extern const char* const reload;
extern const char* const reload_footer;
extern const char* const rollback;
extern const char* const rollback_footer;
extern const char* const forget;
extern const char* const forget_footer;
extern const char* const completion;
extern const char* const completion_footer;
extern const char* const version;
extern const char* const ping;

} // namespace swapmq::host::help

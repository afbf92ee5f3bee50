/* What the plugin says of itself, and its table of functions. */
#include <string.h>
#include <swapmq/backend.h>

#include "options_schema.h" /* made from options.schema.json */
#include "parts.h"
#include "session.h"

/* An honest declaration: the contract kit checks it. What is absent the host does without, or does
 * by itself where that is safe. */
static const swapmq_capabilities capabilities = {
    .struct_size = sizeof(swapmq_capabilities),
    .durability = SWAPMQ_DURABILITY_NONE,
    .ordering = SWAPMQ_ORDERING_QUEUE,
    .sharing = SWAPMQ_SHARING_PROCESS,
    .delayed_publish = SWAPMQ_ABSENT,
    .delayed_nack = SWAPMQ_ABSENT,
    .ttl = SWAPMQ_ABSENT,
    .priority = SWAPMQ_ABSENT,
    .release = SWAPMQ_NATIVE,
    .dead_letter = SWAPMQ_ABSENT,
    .deduplication = SWAPMQ_ABSENT,
    .purge = SWAPMQ_NATIVE,
    .counts_crashes = SWAPMQ_ABSENT,
    .max_length = SWAPMQ_ABSENT,
};

static const swapmq_limits limits = {
    .struct_size = sizeof(swapmq_limits),
    .max_queue_name_bytes = MAX_NAME_BYTES,
};

static const swapmq_plugin_info info = {
    .struct_size = sizeof(swapmq_plugin_info),
    .name = "minimal",
    .version = "0.1.0",
    .license = "MIT",
    .description = "Queues in the memory of this process; forgets with it",
    .options_schema = OPTIONS_SCHEMA,
    .capabilities = &capabilities,
    .limits = &limits,
};

static const void* extension(const char* name) {
  static const swapmq_list_queues lists = {sizeof(swapmq_list_queues), 0, session_list_queues};
  if (name != NULL && strcmp(name, SWAPMQ_EXTENSION_LIST_QUEUES) == 0) return &lists;
  return NULL;
}

static const swapmq_backend_vtable table = {
    .struct_size = sizeof(swapmq_backend_vtable),
    .abi_version = SWAPMQ_ABI_VERSION,
    .info = &info,
    .open = plugin_open,
    .close = plugin_close,
    .session_open = session_open,
    .session_close = session_close,
    .ping = session_ping,
    .queue_open = session_queue_open,
    .create_queue = session_create_queue,
    .delete_queue = session_delete_queue,
    .queue_stats = session_queue_stats,
    .purge_queue = session_purge_queue,
    .publish = session_publish,
    .subscribe = session_subscribe,
    .exchange = session_exchange,
    .unsubscribe = session_unsubscribe,
    .service = session_service,
    .interrupt = session_interrupt,
    .describe = NULL, /* no option changes the above */
    .extension = extension,
};

const swapmq_backend_vtable* swapmq_backend_entry(uint32_t host_abi, swapmq_error* error) {
  if (SWAPMQ_ABI_MAJOR_OF(host_abi) != SWAPMQ_ABI_MAJOR) {
    fail(error, SWAPMQ_NOT_SUPPORTED, "this plugin speaks another major version of the ABI");
    return NULL;
  }
  return &table;
}

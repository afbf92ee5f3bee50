// SPDX-License-Identifier: MIT
//
// The plugin "planted": what it says of itself, its entry, and the bugs that lie below the glue.
#include "session.h"

namespace planted {
namespace {

constexpr char kSchema[] =
    R"({"type":"object","additionalProperties":false,"properties":{)"
    R"("bug":{"type":"string"},"absent":{"type":"string","enum":["none","all"]},)"
    R"("nacked":{"type":"string","enum":["first","last"]},"store":{"type":"string"}}})";

constexpr swapmq_plugin_info kInfo = {
    .struct_size = sizeof(swapmq_plugin_info),
    .flags = SWAPMQ_PLUGIN_UNLOADABLE,
    .name = "planted",
    .version = "0.1.0",
    .license = "MIT",
    .description = "Queues in memory, with a bug of your choice",
    .options_schema = kSchema,
    .capabilities = &kCapabilities,
    .limits = &kLimits,
};

using Glue = swapmq::backend::Trampolines<PlantedSession>;

swapmq_status raw_publish(swapmq_session* session, swapmq_queue* queue,
                          const swapmq_publish_args* args, swapmq_error* error) {
  if (process_has("crashes_on_null")) {
    const volatile std::uint64_t& count = args->count;
    if (count == 0) return SWAPMQ_OK;
  }
  if (process_has("ignores_strides") && session != nullptr && args != nullptr) {
    swapmq_publish_args wrong = *args;
    wrong.message_size = sizeof(swapmq_message);
    return Glue::publish(session, queue, &wrong, error);
  }
  return Glue::publish(session, queue, args, error);
}

swapmq_status raw_session_open(swapmq_backend* backend, std::int32_t role, std::int64_t deadline_ns,
                               swapmq_session** session, swapmq_error* error) {
  if (process_has("touches_output_on_failure") && session != nullptr) *session = nullptr;
  return Glue::session_open(backend, role, deadline_ns, session, error);
}

swapmq_status raw_queue_open(swapmq_session* session, swapmq_bytes name,
                             const swapmq_queue_spec* spec, swapmq_queue** queue,
                             swapmq_error* error) {
  const swapmq_status status = Glue::queue_open(session, name, spec, queue, error);
  if (status != SWAPMQ_OK && process_has("error_overruns") && error->message != nullptr &&
      error->message_length + 1 == error->message_capacity) {
    error->message[error->message_capacity] = '\0';
  }
  return status;
}

} // namespace
} // namespace planted

extern "C" SWAPMQ_BACKEND_EXPORT const swapmq_backend_vtable* swapmq_backend_entry(
    std::uint32_t host_abi, swapmq_error* error) {
  const swapmq_backend_vtable* glue =
      swapmq::backend::entry<planted::PlantedSession>(planted::kInfo, host_abi, error);
  if (glue == nullptr) return nullptr;
  static const swapmq_backend_vtable table = [&] {
    swapmq_backend_vtable own = *glue;
    own.publish = &planted::raw_publish;
    own.session_open = &planted::raw_session_open;
    own.queue_open = &planted::raw_queue_open;
    return own;
  }();
  return &table;
}

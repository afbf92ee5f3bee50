# cmake -DNM=... -DPLUGIN=... -P exports.cmake: fails unless the plugin exports its entry alone.
execute_process(COMMAND "${NM}" -D --defined-only "${PLUGIN}"
  OUTPUT_VARIABLE symbols ERROR_VARIABLE errors RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} ${PLUGIN}: ${errors}")
endif()
string(STRIP "${symbols}" symbols)
if(NOT symbols MATCHES "^[0-9a-f]+ T swapmq_backend_entry$")
  message(FATAL_ERROR "${PLUGIN} must export swapmq_backend_entry and nothing else; it has:\n${symbols}")
endif()
message(STATUS "${PLUGIN}: swapmq_backend_entry, and nothing else")

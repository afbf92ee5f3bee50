# A broker for many entries of ctest, which starts before the first of them and ends after the last.
# Each has a virtual host of its own, so they may run beside each other. An entry says that it
# needs the broker:
#
#   swapmq_on_rabbitmq(on_broker classic)
#   add_test(NAME example COMMAND ${on_broker} $<TARGET_FILE:example> --options "{rabbitmq}")
#   set_tests_properties(example PROPERTIES FIXTURES_REQUIRED rabbitmq_broker)

set(SWAPMQ_SHARED_RABBITMQ "${PROJECT_BINARY_DIR}/tests/shared_rabbitmq")

# swapmq_on_rabbitmq(VARIABLE SETUP) puts the wrapper of a command line into the variable.
function(swapmq_on_rabbitmq variable setup)
  set(${variable}
    $<TARGET_FILE:with_rabbitmq> --shared "${SWAPMQ_SHARED_RABBITMQ}" --setup ${setup} --
    PARENT_SCOPE)
endfunction()

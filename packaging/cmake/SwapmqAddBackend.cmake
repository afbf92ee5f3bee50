# swapmq_add_backend(NAME SOURCES file... [LIBRARIES target...] [OUTPUT_DIRECTORY dir] [NO_INSTALL])
#
# Makes the plugin NAME.so (target backend_NAME) from its sources. It sees the ABI headers and its
# own client libraries, nothing of the core, and exports the entry alone. In a project that has found
# swapmq by find_package() it lands in the project's build folder, and is installed where swapmq finds
# it below the same prefix.
set(SWAPMQ_BACKEND_VERSION_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/backend.map")

function(swapmq_add_backend name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_INSTALL" "OUTPUT_DIRECTORY" "SOURCES;LIBRARIES")
  if(NOT name MATCHES "^[a-z0-9_]+$")
    message(FATAL_ERROR "swapmq_add_backend: \"${name}\" is not a plugin name ([a-z0-9_]{1,64})")
  endif()
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "swapmq_add_backend(${name}): no SOURCES")
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
    if(SWAPMQ_BACKEND_OUTPUT_DIRECTORY)
      set(arg_OUTPUT_DIRECTORY "${SWAPMQ_BACKEND_OUTPUT_DIRECTORY}")
    endif()
  endif()
  set(install_directory "${SWAPMQ_BACKEND_INSTALL_DIRECTORY}")
  if(NOT install_directory)
    include(GNUInstallDirs)
    set(install_directory "${CMAKE_INSTALL_LIBDIR}/swapmq/backends")
  endif()

  set(target "backend_${name}")
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE swapmq::abi ${arg_LIBRARIES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME "${name}" SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY "${arg_OUTPUT_DIRECTORY}"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${SWAPMQ_BACKEND_VERSION_SCRIPT}")
  target_link_options(${target} PRIVATE
    "LINKER:--version-script=${SWAPMQ_BACKEND_VERSION_SCRIPT}" "LINKER:-z,now" "LINKER:-z,relro")
  if(NOT SWAPMQ_SANITIZE) # sanitizers resolve their runtime from the program
    target_link_options(${target} PRIVATE "LINKER:--no-undefined")
  endif()
  if(NOT arg_NO_INSTALL)
    install(TARGETS ${target} LIBRARY DESTINATION "${install_directory}")
  endif()
endfunction()

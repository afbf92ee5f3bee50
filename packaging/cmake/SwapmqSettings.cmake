# What every target of the tree shares. Warnings are errors only where a preset says so.
option(SWAPMQ_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
set(SWAPMQ_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")

set(CMAKE_C_STANDARD 99)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(SWAPMQ_BACKEND_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/swapmq/backends")
set(SWAPMQ_BACKEND_INSTALL_DIRECTORY "${CMAKE_INSTALL_LIBDIR}/swapmq/backends")

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  "$<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Woverloaded-virtual>"
  "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>"
)
# GCC 12 sees overlapping copies in "literal" + std::string once it optimizes (its bug 105651).
add_compile_options("$<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-restrict>")
if(SWAPMQ_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()
if(SWAPMQ_SANITIZE)
  add_compile_options(-fsanitize=${SWAPMQ_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SWAPMQ_SANITIZE})
endif()

# swapmq_build_for_size(TARGET SOURCE...): these run seldom, so that their size matters, not their speed.
function(swapmq_build_for_size target)
  set_property(SOURCE ${ARGN} TARGET_DIRECTORY ${target}
    APPEND PROPERTY COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
endfunction()

find_package(Threads REQUIRED)

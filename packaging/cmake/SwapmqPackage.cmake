# What others find an installed swapmq by: find_package(swapmq), and pkg-config.
include(CMakePackageConfigHelpers)

set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/swapmq")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/swapmqConfig.cmake.in" swapmqConfig.cmake
  INSTALL_DESTINATION "${package_directory}"
  PATH_VARS SWAPMQ_BACKEND_INSTALL_DIRECTORY)
# While the major version is 0 a minor one may break.
write_basic_package_version_file(swapmqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT swapmqTargets NAMESPACE swapmq:: DESTINATION "${package_directory}")
install(FILES
  "${PROJECT_BINARY_DIR}/swapmqConfig.cmake"
  "${PROJECT_BINARY_DIR}/swapmqConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/SwapmqAddBackend.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/backend.map"
  DESTINATION "${package_directory}")

# A prefix that is moved takes its pkg-config file along.
file(RELATIVE_PATH pc_to_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/swapmq.pc.in" swapmq.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/swapmq.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

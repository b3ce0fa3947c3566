# `cmake --install` and find_package(Fovea).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS fovea_library EXPORT FoveaTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS fovea_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS fovea_media RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/fovea)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/fovea DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(${PROJECT_SOURCE_DIR}/examples/watch/fovea-watch@.service.in ${PROJECT_BINARY_DIR}/fovea-watch@.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/fovea-watch@.service DESTINATION lib/systemd/system)
install(EXPORT FoveaTargets NAMESPACE Fovea:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Fovea)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/FoveaConfig.cmake.in ${PROJECT_BINARY_DIR}/FoveaConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Fovea)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/FoveaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/FoveaConfig.cmake ${PROJECT_BINARY_DIR}/FoveaConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FoveaLibraries.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Fovea)

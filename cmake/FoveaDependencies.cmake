# Every third-party library, found once. All are Debian packages (named in ./dev).
include(FoveaLibraries)
find_package(CLI11 REQUIRED)
pkg_check_modules(HEIF REQUIRED libheif)
if(FOVEA_TESTS)
  find_package(GTest REQUIRED)
endif()

# Every third-party library, found once. All are Debian packages (named in ./dev).
include(FoveaLibraries)
find_package(CLI11 REQUIRED)
pkg_check_modules(HEIF REQUIRED libheif)
find_package(TIFF REQUIRED)
# Headers; a test compares its library's answers.
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
if(FOVEA_TESTS)
  find_package(GTest REQUIRED)
endif()

# Cross-compiles for Debian on 64-bit Arm. FOVEA_SYSROOT, by -D or in the environment: a folder with that system's headers and
# libraries (tools/arm64_sysroot.sh makes one). Programs, tests too, run in an emulator where there is one,
# as on a Raspberry Pi 4: the emulator's usual processor has vectors that none of those boards has.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(FOVEA_SYSROOT "$ENV{FOVEA_SYSROOT}" CACHE PATH "Headers and libraries of Debian arm64")
if(NOT IS_DIRECTORY "${FOVEA_SYSROOT}/usr/include")
  message(FATAL_ERROR "FOVEA_SYSROOT is '${FOVEA_SYSROOT}', expected a folder that tools/arm64_sysroot.sh has made (./dev build arm64 does both)")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FOVEA_SYSROOT)

set(CMAKE_SYSROOT ${FOVEA_SYSROOT})
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(ENV{PKG_CONFIG_LIBDIR} ${FOVEA_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${FOVEA_SYSROOT}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${FOVEA_SYSROOT})

find_program(FOVEA_EMULATOR NAMES qemu-aarch64 qemu-aarch64-static)
if(FOVEA_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FOVEA_EMULATOR};-cpu;cortex-a72;-L;${FOVEA_SYSROOT})
endif()

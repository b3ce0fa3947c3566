# Warnings, sanitizers and the floating-point rules of every target.
add_library(fovea_warnings INTERFACE)
target_compile_options(fovea_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion;-Wno-missing-field-initializers;-Werror>")

# The same source must give the same bits wherever it is compiled: no contraction behind our back
# (kernels ask for FMA themselves), no reassociation.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)

if(FOVEA_SANITIZE)
  add_compile_options(-fsanitize=${FOVEA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FOVEA_SANITIZE})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What is allowed it here is what it needs to keep files that use precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()

# For what is compiled once per instruction set. Without a set that no processor of today needs; without those whose vectors have no
# length that is known here (kernels keep sums in arrays of vectors), so that Arm processors with SVE run NEON; and with one lane
# rather than four emulated ones where there are no vectors.
set(FOVEA_HIGHWAY_SETS "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)" HWY_BROKEN_EMU128=1)

# fovea_join(TARGET FILE...): FOVEA_UNITY joins the target's files, but for those that are named; "all" are all.
function(fovea_join target)
  if(FOVEA_UNITY AND NOT ARGN STREQUAL "all")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    # What is private to a file looks as if it came from a header.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# One layer of src/: an object library; all of them together are the one library.
#   fovea_layer(image SOURCES decode.cpp ... USES core PUBLIC fmt::fmt PRIVATE JPEG::JPEG)
# SEPARATE names files, or says all, that FOVEA_UNITY does not join to others, because they have a private name in common or include
# themselves once for each instruction set.
# USES names the layers below that it includes (tools/check_layers.py holds the table of what is allowed).
function(fovea_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;SEPARATE;USES;PUBLIC;PRIVATE" ${ARGN})
  add_library(fovea_${name} OBJECT ${LAYER_SOURCES})
  fovea_join(fovea_${name} ${LAYER_SEPARATE})
  target_include_directories(fovea_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(fovea_${name} PUBLIC ${LAYER_PUBLIC} PRIVATE ${LAYER_PRIVATE} fovea_warnings)
  foreach(used IN LISTS LAYER_USES)
    target_link_libraries(fovea_${name} PUBLIC fovea_${used})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY FOVEA_LAYERS fovea_${name})
  set_property(GLOBAL APPEND PROPERTY FOVEA_LAYER_LIBRARIES ${LAYER_PUBLIC} ${LAYER_PRIVATE})
endfunction()

# fovea_precompile(TARGET HEADER...): those are compiled once for all files of the target. fovea_precompile(TARGET AS OTHER): once for both.
function(fovea_precompile target)
  if(FOVEA_UNITY)
    cmake_parse_arguments(PRECOMPILED "" "AS" "" ${ARGN})
    if(PRECOMPILED_AS)
      target_precompile_headers(${target} REUSE_FROM ${PRECOMPILED_AS})
    else()
      target_precompile_headers(${target} PRIVATE ${PRECOMPILED_UNPARSED_ARGUMENTS})
    endif()
  endif()
endfunction()

# Half the time to compile; what is tested is the library, as it ships.
set(FOVEA_TEST_OPTIONS -Og)

# A test program, each of its cases known to ctest: fovea_test(image_test SOURCES resize_test.cpp ...)
# WHOLE makes it one ctest case: for suites whose cases share a costly set-up. SHARDS n deals its cases out to n of them instead, which
# run beside each other, each with a set-up of its own. SEPARATE as in fovea_layer.
# Tests time no kernels and leave the user's cache alone, unless they are about that (FOVEA_TUNE).
function(fovea_test name)
  cmake_parse_arguments(TEST "WHOLE" "SHARDS" "SOURCES;SEPARATE;PRIVATE" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_compile_options(${name} PRIVATE ${FOVEA_TEST_OPTIONS})
  target_link_libraries(${name} PRIVATE fovea_internal fovea_test_support GTest::gtest_main GTest::gmock ${TEST_PRIVATE} fovea_warnings)
  fovea_precompile(${name} AS fovea_test_headers)
  fovea_join(${name} ${TEST_SEPARATE})
  if(TEST_SHARDS)
    math(EXPR last "${TEST_SHARDS} - 1")
    foreach(shard RANGE ${last})
      add_test(NAME ${name}_${shard} COMMAND ${name})
      set_tests_properties(${name}_${shard} PROPERTIES
        ENVIRONMENT "FOVEA_TUNE=off;GTEST_TOTAL_SHARDS=${TEST_SHARDS};GTEST_SHARD_INDEX=${shard}")
    endforeach()
  elseif(TEST_WHOLE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ENVIRONMENT FOVEA_TUNE=off)
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
      PROPERTIES SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]" ENVIRONMENT FOVEA_TUNE=off)
  endif()
endfunction()

# A fuzz target: one function `LLVMFuzzerTestOneInput`, with a small driver that replays and mutates the files of SEEDS
# (folders, relative to fuzz/seeds). LAYERS are all that it needs, so that a sanitizer build of it compiles no more ("internal": all):
#   fovea_fuzz(image_fuzz LAYERS core image SEEDS image)
function(fovea_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "LAYERS;SEEDS" ${ARGN})
  list(TRANSFORM FUZZ_LAYERS PREPEND fovea_)
  list(TRANSFORM FUZZ_SEEDS PREPEND ${PROJECT_SOURCE_DIR}/fuzz/seeds/)
  list(JOIN FUZZ_SEEDS "\n" seeds)
  file(WRITE ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name}.seeds "${seeds}\n")
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE ${FUZZ_LAYERS} fovea_fuzz_driver fovea_warnings)
  add_dependencies(fovea_fuzz_targets ${name})
  if(FOVEA_TESTS)
    add_test(NAME ${name} COMMAND ${name} --mutations 200)
  endif()
endfunction()

# Installs into a fresh prefix, builds examples/classify.cpp against nothing but that, and runs it.
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY COMMAND_ECHO STDOUT)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${WORK}/prefix/bin/fovea --help)
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install/consumer -B ${WORK}/build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER}
  -D CMAKE_PREFIX_PATH=${WORK}/prefix -D CLASSIFY_SOURCE=${SOURCE}/examples/classify.cpp)
run(${CMAKE_COMMAND} --build ${WORK}/build)

# A model that is not there: refused in one line that names it.
execute_process(COMMAND ${WORK}/build/consumer ${WORK}/missing.safetensors ${WORK}/photo.jpg
  RESULT_VARIABLE status ERROR_VARIABLE message OUTPUT_VARIABLE output)
if(NOT status EQUAL 2 OR NOT message MATCHES "missing\\.safetensors" OR NOT output STREQUAL "")
  message(FATAL_ERROR "expected status 2 and a message that names the file; got ${status}: ${output}${message}")
endif()

# A real one, where the pretrained backbone has been fetched.
if(DEFINED ENV{XDG_CACHE_HOME})
  set(cache $ENV{XDG_CACHE_HOME})
else()
  set(cache $ENV{HOME}/.cache)
endif()
set(backbone ${cache}/fovea/efficientnet_lite0.pth)
if(NOT EXISTS ${backbone})
  message(STATUS "not tried: an answer from a model, as ${backbone} is not there (./dev setup fetches it)")
  return()
endif()
run(${BUILD}/bin/fovea-skies ${WORK}/skies --count 30 --seed 1)
run(${WORK}/prefix/bin/fovea train ${WORK}/skies -o ${WORK}/weather.safetensors --weights ${backbone} --scope head --quiet)
execute_process(COMMAND ${WORK}/build/consumer ${WORK}/weather.safetensors ${WORK}/skies/cloudy/00000.jpg
  COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE output)
if(NOT output MATCHES "^(clear|semi-clear|cloudy) [01](\\.[0-9]+)?\n$")
  message(FATAL_ERROR "expected a class and its probability; got '${output}'")
endif()

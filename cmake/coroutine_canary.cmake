# Refuses a compiler that miscompiles everyday coroutine forms (docs/adr/0002-clang.md): g++ 12.2
# does, and the crash would come at run time. Runs once per build folder and compiler.
if(NOT SLUICE_CANARY_FAILURES MATCHES "^[0-9]+$")
  message(STATUS "Coroutine canary: compiling with ${CMAKE_CXX_COMPILER}")
  try_run(SLUICE_CANARY_RUN SLUICE_CANARY_COMPILED
    ${CMAKE_BINARY_DIR}/canary ${PROJECT_SOURCE_DIR}/toolchain/coroutine_canary.cc
    CMAKE_FLAGS -DCMAKE_CXX_STANDARD=23
    COMPILE_DEFINITIONS -O1
    CXX_STANDARD 23
    COMPILE_OUTPUT_VARIABLE SLUICE_CANARY_COMPILE_OUTPUT
    RUN_OUTPUT_VARIABLE SLUICE_CANARY_OUTPUT)
  if(NOT SLUICE_CANARY_COMPILED)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} cannot compile the coroutine canary "
      "(C++23 coroutines, std::expected and Boost 1.81 are needed):\n${SLUICE_CANARY_COMPILE_OUTPUT}")
  endif()
  set(SLUICE_CANARY_FAILURES "${SLUICE_CANARY_RUN}" CACHE INTERNAL "")
endif()
if(SLUICE_CANARY_FAILURES EQUAL 0)
  message(STATUS "Coroutine canary: every form is compiled correctly")
elseif(SLUICE_ALLOW_BROKEN_COROUTINES)
  message(STATUS "Coroutine canary: ${SLUICE_CANARY_FAILURES} forms are miscompiled; allowed here, "
    "because this build only checks the sources")
else()
  message(FATAL_ERROR "${CMAKE_CXX_COMPILER} miscompiles ${SLUICE_CANARY_FAILURES} coroutine forms, "
    "so what it builds would crash at run time. Use clang++-19 (or another clang, or a newer g++) by "
    "-DCMAKE_CXX_COMPILER=..., or the preset gcc-asan to check the sources only.\n"
    "${SLUICE_CANARY_OUTPUT}")
endif()

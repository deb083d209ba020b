# Every outside library, named once. Debian 12 packages: see tools/packages.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(simdjson REQUIRED)
# Ubuntu 24.04's simdjson 3.6 has a template that names members which are not there; clang 19 looks
# at such a template when it is defined, which this puts off until it is used: never.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND simdjson_VERSION VERSION_GREATER_EQUAL 3.1
    AND simdjson_VERSION VERSION_LESS 3.10)
  set_property(TARGET simdjson::simdjson APPEND PROPERTY INTERFACE_COMPILE_OPTIONS
    -fdelayed-template-parsing -Wno-delayed-template-parsing-in-cxx20)
endif()
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(CLI11 REQUIRED)
find_package(SQLite3 3.37 REQUIRED)
if(SLUICE_TESTS)
  find_package(GTest REQUIRED)
endif()

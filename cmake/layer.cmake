include(GoogleTest)

# One library per folder of src/. USES is the dependency diagram: an upward call does not link, and
# tools/check_layers.py reads the same lines to refuse an upward #include. LIBRARIES are the outside
# libraries whose one home this layer is; they stay out of the layers above.
function(sluice_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;USES;LIBRARIES" ${ARGN})
  add_library(sluice_${name} STATIC ${arg_SOURCES})
  list(TRANSFORM arg_USES PREPEND sluice_)
  target_link_libraries(sluice_${name} PUBLIC ${arg_USES} PRIVATE sluice_options ${arg_LIBRARIES})
  if(arg_TESTS AND SLUICE_TESTS)
    add_executable(sluice_${name}_test ${arg_TESTS})
    target_link_libraries(sluice_${name}_test PRIVATE
      sluice_${name} sluice_options ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
    gtest_discover_tests(sluice_${name}_test DISCOVERY_MODE PRE_TEST
      PROPERTIES TIMEOUT 120 LABELS ${name} ENVIRONMENT "SLUICE_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
  endif()
endfunction()

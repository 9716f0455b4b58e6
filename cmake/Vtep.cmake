# What every target of the project shares: warnings, sanitizers, and the two ways to declare code.

add_library(vtep_options INTERFACE)
target_compile_options(vtep_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wold-style-cast -Werror)
target_include_directories(vtep_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
# libstdc++ 12's std::stable_sort() uses what the standard no longer likes.
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  target_compile_options(vtep_options INTERFACE -Wno-deprecated-declarations)
endif()
if(VTEP_SANITIZE)
  target_compile_definitions(vtep_options INTERFACE VTEP_SANITIZED)
  target_compile_options(vtep_options INTERFACE
    -fsanitize=${VTEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(vtep_options INTERFACE -fsanitize=${VTEP_SANITIZE})
endif()

# vtep_library(NAME [HOT] SOURCES a.cc ... [USES lib ...] [HEADERS a.h ...]): the library of one folder; HOT if every
# packet meets it. HEADERS are others' large ones, compiled once for all.
function(vtep_library name)
  cmake_parse_arguments(ARG "HOT" "" "SOURCES;USES;HEADERS" ${ARGN})
  add_library(vtep_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(vtep_${name} PUBLIC vtep_options ${ARG_USES})
  target_precompile_headers(vtep_${name} PRIVATE ${ARG_HEADERS})
  # Four of UBSan's checks are one more branch for each access; what packets do not meet has ASan to look after it. Nor
  # is that optimised under ASan: the compiler would work as long again.
  if(VTEP_SANITIZE MATCHES undefined AND NOT ARG_HOT AND NOT VTEP_FUZZ)
    target_compile_options(vtep_${name} PRIVATE -O0 -fno-sanitize=null,alignment,object-size,vptr)
  endif()
  # A frame meets dozens of small functions from many files.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND ARG_HOT AND NOT VTEP_SANITIZE)
    set_target_properties(vtep_${name} PROPERTIES INTERPROCEDURAL_OPTIMIZATION_RELWITHDEBINFO ON)
  endif()
endfunction()

# What nearly every test includes, and what the compiler spends most of its time on.
set(vtep_test_headers <gmock/gmock.h> <gtest/gtest.h> <algorithm> <array> <chrono> <expected> <functional> <map> <memory>
  <optional> <span> <string> <string_view> <vector>)

# vtep_test(NAME SOURCES a_test.cc ... [USES lib ...] [HEADERS a.h ...]): the unit tests of one folder, one binary.
# HEADERS are compiled once, for they are many tests' and large. The tests themselves are not optimised: what they test is.
function(vtep_test name)
  if(NOT VTEP_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;HEADERS" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE vtep_options ${ARG_USES} GTest::gmock GTest::gtest_main)
  # But for ThreadSanitizer: inline functions of gRPC that are not inlined would take the place of the library's own,
  # and be watched while the library's other half is not.
  if(NOT VTEP_SANITIZE MATCHES thread)
    target_compile_options(${name}_test PRIVATE -O0)
  endif()
  # What they test is watched for undefined behaviour; that they are, too, would take the compiler as long again.
  if(VTEP_SANITIZE MATCHES undefined)
    target_compile_options(${name}_test PRIVATE -fno-sanitize=undefined)
  endif()
  target_precompile_headers(${name}_test PRIVATE ${vtep_test_headers} ${ARG_HEADERS})
  gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60)
endfunction()

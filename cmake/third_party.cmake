# Targets for the third-party libraries. Debian's packages that bring a good CMake configuration are found as they are; the others
# get a target here, named <library>::<part>. DuckDB and ggml come from the set-up cache (third_party.lock).
#
#   Boost::headers Boost::json OpenSSL::SSL OpenSSL::Crypto CURL::libcurl Threads::Threads      fmt::fmt spdlog::spdlog
#   simdjson::simdjson yaml-cpp::yaml-cpp CLI11::CLI11 date::date date::date-tz zstd::zstd      prometheus::core
#   soci::soci sqlite::sqlite3 duckdb::duckdb faiss::faiss sodium::sodium gumbo::gumbo          utf8proc::utf8proc ggml::gguf
include_guard(GLOBAL)

set(VOLAN_CACHE "" CACHE PATH "folder that `make setup` filled")
if(NOT VOLAN_CACHE)
  if(NOT "$ENV{VOLAN_CACHE}" STREQUAL "")
    set(VOLAN_CACHE "$ENV{VOLAN_CACHE}" CACHE PATH "" FORCE)
  else()
    set(VOLAN_CACHE "$ENV{HOME}/.cache/volan" CACHE PATH "" FORCE)
  endif()
endif()

# volan_library(target header library... [LINK target...] [INCLUDE_SUFFIX dir]): an imported target for libraries without a configuration.
function(volan_library target header)
  cmake_parse_arguments(PARSE_ARGV 2 lib "" "INCLUDE_SUFFIX" "LINK")
  string(MAKE_C_IDENTIFIER ${target} id)
  find_path(${id}_include ${header} PATH_SUFFIXES ${lib_INCLUDE_SUFFIX})
  set(files "")
  foreach(library ${lib_UNPARSED_ARGUMENTS})
    find_library(${id}_${library} ${library})
    if(NOT ${id}_${library})
      message(FATAL_ERROR "${target}: no library ${library}. Run: make setup")
    endif()
    mark_as_advanced(${id}_${library})
    list(APPEND files ${${id}_${library}})
  endforeach()
  if(NOT ${id}_include)
    message(FATAL_ERROR "${target}: no header ${header}. Run: make setup")
  endif()
  mark_as_advanced(${id}_include)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${${id}_include})
  target_link_libraries(${target} INTERFACE ${files} ${lib_LINK})
endfunction()

# volan_cached(file result): a file that set-up must have put into the cache.
function(volan_cached file result)
  if(NOT EXISTS "${VOLAN_CACHE}/${file}")
    message(FATAL_ERROR "${VOLAN_CACHE}/${file} is missing. Run: make setup")
  endif()
  set(${result} "${VOLAN_CACHE}/${file}" PARENT_SCOPE)
endfunction()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(date REQUIRED)
find_package(zstd REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)

# Debian's yaml-cpp 0.7 and zstd configurations name their targets in their own ways.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED GLOBAL)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()
if(NOT TARGET zstd::zstd)
  add_library(zstd::zstd INTERFACE IMPORTED GLOBAL)
  target_link_libraries(zstd::zstd INTERFACE zstd::libzstd_shared)
endif()
add_library(prometheus::core INTERFACE IMPORTED GLOBAL)
target_link_libraries(prometheus::core INTERFACE prometheus-cpp::core)

volan_library(sqlite::sqlite3 sqlite3.h sqlite3)
volan_library(pq::pq libpq-fe.h pq INCLUDE_SUFFIX postgresql)
volan_library(soci::soci soci/soci.h soci_sqlite3 soci_postgresql soci_core LINK sqlite::sqlite3 pq::pq)
volan_library(sodium::sodium sodium.h sodium)
volan_library(gumbo::gumbo gumbo.h gumbo)
volan_library(utf8proc::utf8proc utf8proc.h utf8proc)

# Debian's own faiss target takes whichever BLAS is the system's default; the reference one multiplies thirty times slower. OpenBLAS is
# named here by its file, because libopenblas0-pthread brings no development link; so is the OpenMP run time, because clang has another.
foreach(library openblas gomp)
  find_library(${library}_library NAMES lib${library}.so.0 lib${library}.so.1)
  if(NOT ${library}_library)
    message(FATAL_ERROR "faiss::faiss: no lib${library}. Run: make setup")
  endif()
  mark_as_advanced(${library}_library)
endforeach()
volan_library(faiss::faiss faiss/Index.h faiss LINK ${openblas_library} ${gomp_library})

# DuckDB: the program finds the library by the run path that CMake writes for a library outside the system's folders.
volan_cached(duckdb/lib/libduckdb.so duckdb_library)
volan_cached(duckdb/include/duckdb.h duckdb_header)
add_library(duckdb::duckdb SHARED IMPORTED GLOBAL)
set_target_properties(duckdb::duckdb PROPERTIES
  IMPORTED_LOCATION "${duckdb_library}" IMPORTED_SONAME libduckdb.so INTERFACE_INCLUDE_DIRECTORIES "${VOLAN_CACHE}/duckdb/include")

# gguf: reading and writing of model files, from the llama.cpp that set-up built; linked statically.
volan_cached(build-llama/ggml/src/libggml-base.a ggml_base_library)
volan_cached(src/llama.cpp/ggml/include/gguf.h gguf_header)
add_library(ggml::gguf STATIC IMPORTED GLOBAL)
set_target_properties(ggml::gguf PROPERTIES
  IMPORTED_LOCATION "${ggml_base_library}" IMPORTED_LINK_INTERFACE_LANGUAGES "C;CXX"
  INTERFACE_INCLUDE_DIRECTORIES "${VOLAN_CACHE}/src/llama.cpp/ggml/include")
target_link_libraries(ggml::gguf INTERFACE ${gomp_library} Threads::Threads ${CMAKE_DL_LIBS} m)

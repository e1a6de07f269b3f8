# volan_module(): one flat module with declared dependencies. ARCHITECTURE.md, "How the boundaries are checked", tells why it is built this way.
#
#   volan_module(prompt EXPOSES core llm USES storage net LIBS mustache HEADERS types.hpp catalog.hpp)
#
# EXPOSES  modules whose types appear in our public headers      HEADERS  what other modules may include
# USES     modules that only our .cpp files see                  LIBS     third-party targets, private to this module
# PUBLIC_LIBS  third-party targets that our public headers include
include_guard(GLOBAL)
include(GNUInstallDirs)

function(volan_module name)
  cmake_parse_arguments(PARSE_ARGV 1 mod "" "" "EXPOSES;USES;LIBS;PUBLIC_LIBS;HEADERS")
  if(mod_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "volan_module(${name}): unknown argument ${mod_UNPARSED_ARGUMENTS}")
  endif()
  get_property(earlier GLOBAL PROPERTY VOLAN_MODULES)
  foreach(dep ${mod_EXPOSES} ${mod_USES})
    if(NOT dep IN_LIST earlier)
      message(FATAL_ERROR "${name} may not use ${dep}: src/CMakeLists.txt does not list it before ${name}")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY VOLAN_MODULES ${name})

  # Other modules see view/ (links to the public headers), this module sees own/ (its whole folder).
  set(root ${PROJECT_BINARY_DIR}/modules/${name})
  file(REMOVE_RECURSE ${root})
  file(MAKE_DIRECTORY ${root}/view/${name} ${root}/own)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/own/${name} SYMBOLIC)
  foreach(header ${mod_HEADERS})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${header})
      message(FATAL_ERROR "volan_module(${name}): HEADERS names ${header}, which does not exist")
    endif()
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${root}/view/${name}/${header} SYMBOLIC)
  endforeach()
  list(TRANSFORM mod_HEADERS PREPEND ${root}/view/${name}/)

  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cpp$|/main\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  if(sources)
    add_library(volan_${name} STATIC ${sources})
    set(visibility PUBLIC)
    target_include_directories(volan_${name} PRIVATE ${root}/own)
    target_sources(volan_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${root}/view FILES ${mod_HEADERS})
    set_target_properties(volan_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
    volan_embed_migrations(${name})
  else()
    add_library(volan_${name} INTERFACE)
    set(visibility INTERFACE)
    target_include_directories(volan_${name} INTERFACE ${root}/view)
  endif()
  list(TRANSFORM mod_EXPOSES PREPEND volan_)
  list(TRANSFORM mod_USES PREPEND volan_)
  target_link_libraries(volan_${name} ${visibility} ${mod_EXPOSES} ${mod_PUBLIC_LIBS})
  if(sources)
    target_link_libraries(volan_${name} PRIVATE ${mod_USES} ${mod_LIBS})
  endif()

  if(tests AND VOLAN_TESTS)
    add_executable(volan_${name}_test ${tests})
    target_include_directories(volan_${name}_test PRIVATE ${root}/own)
    target_link_libraries(volan_${name}_test PRIVATE volan_${name} ${mod_USES} ${mod_LIBS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(volan_${name}_test PRIVATE VOLAN_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
    add_test(NAME ${name} COMMAND volan_${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit)
  endif()

  file(GLOB benches CONFIGURE_DEPENDS *_bench.cpp)
  foreach(bench ${benches})
    get_filename_component(unit ${bench} NAME_WE)
    add_executable(volan_${name}_${unit} EXCLUDE_FROM_ALL ${bench})
    target_include_directories(volan_${name}_${unit} PRIVATE ${root}/own)
    target_link_libraries(volan_${name}_${unit} PRIVATE volan_${name} ${mod_USES} ${mod_LIBS} benchmark::benchmark)
    set_property(GLOBAL APPEND PROPERTY VOLAN_BENCHES volan_${name}_${unit})
  endforeach()

  if(VOLAN_FUZZ)
    file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cpp)
    foreach(fuzzer ${fuzzers})
      get_filename_component(unit ${fuzzer} NAME_WE)
      add_executable(volan_${name}_${unit} ${fuzzer})
      target_include_directories(volan_${name}_${unit} PRIVATE ${root}/own)
      target_link_libraries(volan_${name}_${unit} PRIVATE volan_${name} ${mod_USES} ${mod_LIBS})
      target_link_options(volan_${name}_${unit} PRIVATE -fsanitize=fuzzer,address,undefined)
      set_property(GLOBAL APPEND PROPERTY VOLAN_FUZZERS volan_${name}_${unit})
    endforeach()
  endif()
endfunction()

# Turns migrations/NNNN_<what>.sql of the module into a generated source that defines
#   std::span<const volan::core::EmbeddedFile> volan::<module>::migrations();
# (declare it in store.cpp of the module). Names are in order; a released file never changes.
function(volan_embed_migrations name)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/migrations/*.sql)
  if(files)
    volan_embed(volan_${name} migrations volan::${name} ${files})
  endif()
endfunction()

# volan_embed(target function namespace [BASE folder] file...): compiles the bytes of the files into `target` behind
#   std::span<const volan::core::EmbeddedFile> namespace::function();
# in the order given. A name is the path below BASE, without BASE the last component. Any bytes will do; a megabyte costs about two seconds.
function(volan_embed target function namespace)
  cmake_parse_arguments(PARSE_ARGV 3 embed "" "BASE" "")
  set(files "")
  foreach(file ${embed_UNPARSED_ARGUMENTS})
    get_filename_component(file ${file} ABSOLUTE)
    list(APPEND files ${file})
  endforeach()
  if(embed_BASE)
    get_filename_component(embed_BASE ${embed_BASE} ABSOLUTE)
  endif()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${function}_embedded.cpp)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DFUNCTION=${function} -DNAMESPACE=${namespace} "-DBASE=${embed_BASE}" "-DFILES=${files}"
      -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()

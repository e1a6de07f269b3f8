# volan_script_test(NAME COMMAND... [LABEL label] [TIMEOUT seconds] [SERIAL]): a test that is a script, run through ctest like every other,
# so that one runner counts them all. tests/CMakeLists.txt includes this file:
#
#   volan_script_test(clients_openai ${VOLAN_PYTHON} -m pytest -q clients LABEL clients)
#   volan_script_test(web_unit npm test LABEL web)
#
# The script runs in the folder of the CMakeLists.txt, with these in its environment:
#   VOLAN_BIN the program   VOLAN_CACHE what set-up fetched   VOLAN_LLAMA_SERVER, VOLAN_MODELS parts of it   VOLAN_BUILD the build folder
#   PATH with the Node.js of set-up in front
# A test makes its own temporary folder and picks free ports, so that tests run beside each other; SERIAL is for those that measure or fill
# the machine. Exit status 77 means skipped: only for what this machine cannot do, never for what set-up should have installed.
include_guard(GLOBAL)

set(VOLAN_PYTHON "${VOLAN_CACHE}/venv/bin/python")

function(volan_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "SERIAL" "LABEL;TIMEOUT" "")
  if(NOT test_TIMEOUT)
    set(test_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${test_UNPARSED_ARGUMENTS} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${test_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${test_LABEL}" RUN_SERIAL ${test_SERIAL}
    ENVIRONMENT "VOLAN_BIN=${PROJECT_BINARY_DIR}/volan;VOLAN_BUILD=${PROJECT_BINARY_DIR};VOLAN_CACHE=${VOLAN_CACHE};VOLAN_PYTHON=${VOLAN_PYTHON};VOLAN_LLAMA_SERVER=${VOLAN_CACHE}/build-llama/bin/llama-server;VOLAN_MODELS=${VOLAN_CACHE}/models"
    ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${VOLAN_CACHE}/node/bin")
endfunction()

/// Forks children from one thread that lives as long as the process. Private to core; core/process.hpp is the way in.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/result.hpp"

namespace volan::core {

struct SpawnRequest {
  std::string program;                   ///< path of the file to execute
  std::vector<std::string> arguments;    ///< with argv[0]
  std::vector<std::string> environment;  ///< NAME=value, complete
  std::string working_directory;         ///< empty = inherited
  int output_fd = -1;                    ///< becomes the child's standard output and standard error
};

/// Starts the program in a process group of its own, with standard input from /dev/null and no other descriptor inherited. The kernel
/// kills it when the forking thread dies (PR_SET_PDEATHSIG counts the thread, not the process), hence the one thread. Returns after
/// exec has succeeded. Thread-safe; blocks. Errors: not_found (program or folder), internal with errno's text.
Result<pid_t> spawn(const SpawnRequest& request);

}  // namespace volan::core

/// The demo: index the project's documents, measure retrieval, ask three questions, write the report.
#pragma once

#include <string>

#include "app/wiring.hpp"

namespace volan::app {

/// Prints progress to standard error and the report to standard output and DATA/report.md. Blocks for as long as it takes.
core::Result<> run_demo(Server& server, const std::string& data_folder);

}  // namespace volan::app

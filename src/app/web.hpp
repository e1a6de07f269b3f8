/// The pages: embedded files with their content types and caching, index.html for every other path of the UI.
#pragma once

#include <vector>

#include "net/http.hpp"

namespace volan::app {

std::vector<net::Route> web_routes();

}  // namespace volan::app

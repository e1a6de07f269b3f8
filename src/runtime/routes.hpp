/// HTTP routes of the endpoints: list, log, restart.
#pragma once

#include <vector>

#include "net/http.hpp"
#include "runtime/directory.hpp"

namespace volan::runtime {

/// GET /api/v1/endpoints (viewer), GET /api/v1/endpoints/{name}/logs and POST /api/v1/endpoints/{name}/restart (admin).
/// `directory` and `pools` must outlive the routes.
std::vector<net::Route> routes(EndpointDirectory& directory, core::Pools& pools);

}  // namespace volan::runtime

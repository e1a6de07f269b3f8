/// Routes of sessions, keys and projects.
#pragma once

#include <vector>

#include "auth/auth.hpp"
#include "net/http.hpp"

namespace volan::auth {

/// `auth` outlives the router.
std::vector<net::Route> routes(Auth& auth);

}  // namespace volan::auth

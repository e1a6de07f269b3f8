/// HTTP routes of documents and features.
#pragma once

#include <vector>

#include "feature/build_service.hpp"
#include "feature/feature_store.hpp"
#include "net/http.hpp"

namespace volan::feature {

/// Both must outlive the router.
std::vector<net::Route> routes(FeatureStore& features, BuildService& builds);

}  // namespace volan::feature

/// Overview, apps, health and metrics: what tells how the whole is doing.
#pragma once

#include <functional>
#include <vector>

#include "auth/auth.hpp"
#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "deploy/types.hpp"
#include "feature/feature_store.hpp"
#include "net/http.hpp"
#include "runtime/directory.hpp"
#include "storage/journal.hpp"
#include "trace/store.hpp"

namespace volan::app {

/// What the overview looks at. All of it outlives the routes.
struct OverviewParts {
  core::Pools& pools;
  const core::Clock& clock;
  core::Metrics& metrics;
  auth::Auth& auth;
  feature::FeatureStore& features;
  runtime::EndpointDirectory& endpoints;
  trace::TraceStore& traces;
  storage::Journal& journal;
  const std::vector<deploy::App>& apps;
  core::Time started;
};

std::vector<net::Route> overview_routes(OverviewParts parts);

inline constexpr std::string_view version = "0.1.0";

}  // namespace volan::app

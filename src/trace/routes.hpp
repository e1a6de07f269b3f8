/// Routes of traces: list, tree, live events, counters, removal, and the native intake of spans.
#pragma once

#include <vector>

#include "core/pools.hpp"
#include "net/http.hpp"
#include "trace/recorder.hpp"
#include "trace/store.hpp"

namespace volan::trace {

/// All parameters outlive the router.
std::vector<net::Route> routes(TraceStore& store, Recorder& recorder, core::Pools& pools, const core::Clock& clock);

}  // namespace volan::trace

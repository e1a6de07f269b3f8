#include "net/server_state.hpp"

#include <algorithm>

namespace volan::net {
namespace {

/// A quarter of the shortest timeout, within 5 to 100 ms: deadlines are met that exactly.
std::chrono::milliseconds sweep_period(const ServerOptions& options) {
  using std::chrono::milliseconds;
  const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 4, milliseconds(5), milliseconds(100));
}

}  // namespace

ServerMetrics::ServerMetrics(core::Metrics& metrics, const Router& router)
    : connections(metrics.gauge("volan_http_connections", "Open connections of HTTP clients.")),
      metrics_(metrics),
      router_(router),
      seconds_(metrics.histogram("volan_http_request_seconds", "From the end of a request's header to the end of its answer.")),
      by_route_(router.routes().size() + 1) {}

void ServerMetrics::count(const Route* route, unsigned status, std::chrono::nanoseconds took) {
  static constexpr std::array<std::string_view, 6> classes{"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  const std::size_t status_class = status / 100 < classes.size() ? status / 100 : 0;
  const std::size_t index = route ? static_cast<std::size_t>(route - router_.routes().data()) : by_route_.size() - 1;
  auto& slot = by_route_[index][status_class];
  core::Counter* counter = slot.load(std::memory_order_acquire);
  if (!counter) {
    counter = &metrics_.counter("volan_http_requests_total", "Answered HTTP requests.",
                                {{"method", route ? name_of(route->verb) : "other"}, {"route", route ? route->path : "none"}, {"status", classes[status_class]}});
    slot.store(counter, std::memory_order_release);
  }
  counter->add();
  seconds_.observe(std::chrono::duration<double>(took).count());
}

ServerState::ServerState(core::Pools& pools_in, const Router& router_in, Authenticator authenticator_in, ServerOptions options_in,
                         const core::Log& log_in, core::Metrics& metrics_in)
    : pools(pools_in),
      router(router_in),
      authenticator(std::move(authenticator_in)),
      options(std::move(options_in)),
      log(log_in),
      metrics(metrics_in, router_in) {
  for (std::size_t i = 0; i < pools.io_count(); ++i) loops.push_back(std::make_unique<ServerLoop>(pools.io(i), sweep_period(options)));
}

void ServerState::connection_opened() {
  const auto now_open = open_.fetch_add(1, std::memory_order_relaxed) + 1;
  metrics.connections.set(now_open);
}

void ServerState::connection_closed() {
  {
    // Under the mutex, so that wait_until_empty() cannot miss the last one, and is not over before the gauge was set.
    const std::lock_guard lock(mutex_);
    const auto now_open = open_.fetch_sub(1, std::memory_order_relaxed) - 1;
    if (!is_orphaned) metrics.connections.set(now_open);
  }
  changed_.notify_all();
}

bool ServerState::wait_until_empty(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return open() == 0; });
}

}  // namespace volan::net

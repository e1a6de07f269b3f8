#include "runtime/model_server.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/file.hpp"
#include "runtime/server_keeper.hpp"

namespace volan::runtime {

ManagedServer::ManagedServer(ManagedServerOptions options, RuntimeContext context)
    : keeper_(std::make_shared<Keeper>(std::move(options), context)) {
  keeper_->begin();
}

ManagedServer::~ManagedServer() { keeper_->end(); }

const std::string& ManagedServer::name() const { return keeper_->options().name; }
ServerStatus ManagedServer::status() const { return keeper_->status(); }
std::uint64_t ManagedServer::resident_bytes() const { return keeper_->resident_bytes(); }
std::vector<std::string> ManagedServer::log_lines() const { return keeper_->log_lines(); }
void ManagedServer::restart() { keeper_->post(StartAsked{}); }
void ManagedServer::stop() { keeper_->post(StopAsked{}); }

core::Result<> ManagedServer::wait_ready(std::chrono::milliseconds timeout) const {
  const auto is_settled = [](const ServerStatus& s) {
    return s.state == ServerState::ready || s.state == ServerState::failed || s.state == ServerState::stopped;
  };
  const bool is_met = keeper_->wait_until(is_settled, timeout);
  const auto now = status();
  if (now.state == ServerState::ready) return {};
  if (!is_met)
    return core::fail(core::ErrorCode::deadline_exceeded,
                      fmt::format("model server {} was not ready in {} s: {}", name(), timeout.count() / 1000, now.progress));
  return core::fail(core::ErrorCode::unavailable, fmt::format("model server {} {}: {}", name(), core::text_of(now.state), now.last_error));
}

bool ManagedServer::wait_until(const std::function<bool(const ServerStatus&)>& is_met, std::chrono::milliseconds timeout) const {
  return keeper_->wait_until(is_met, timeout);
}

}  // namespace volan::runtime

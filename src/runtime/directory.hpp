/// All endpoints of the program: starts the managed ones and publishes where each one answers.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "runtime/endpoints.hpp"
#include "runtime/model_server.hpp"
#include "runtime/types.hpp"

namespace volan::runtime {

struct DirectoryOptions {
  std::string llama_server{};  ///< empty = find_llama_server()
  std::string log_folder{};    ///< made when missing; empty = logs in memory only
  RestartPolicy policy{};
};

/// Thread-safe. find_ready() and names() read a published snapshot and suit io threads; the rest may block for microseconds.
/// Destruction ends all servers, at the same time.
class EndpointDirectory final : public Endpoints {
 public:
  /// Checks the list and starts the managed servers; does not wait for them. Errors: invalid_argument with the field as path
  /// (`endpoints[1].url`); those of making the log folder.
  static core::Result<std::unique_ptr<EndpointDirectory>> open(std::vector<EndpointSpec> specs, DirectoryOptions options,
                                                               RuntimeContext context);
  ~EndpointDirectory() override;

  core::Result<std::shared_ptr<const Endpoint>> find_ready(std::string_view name) const override;
  std::map<std::string, EndpointKind> names() const override;

  /// Everything about all endpoints, by name. Reads /proc for each managed one.
  std::vector<EndpointView> list() const;
  /// Errors: not_found; invalid_argument for an endpoint that volan does not run.
  core::Result<std::vector<std::string>> log_lines(std::string_view name) const;
  core::Result<> restart(std::string_view name);
  /// Blocks. Errors: not_found; those of ManagedServer::wait_ready.
  core::Result<> wait_ready(std::string_view name, std::chrono::milliseconds timeout) const;

 private:
  struct State;
  explicit EndpointDirectory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace volan::runtime

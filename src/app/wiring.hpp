/// Builds every part of the server in order; the end of the scope takes them down in reverse.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/project.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/pools.hpp"
#include "core/result.hpp"
#include "net/http.hpp"

namespace volan::feature {
class FeatureStore;
class BuildService;
}
namespace volan::rag {
class Retriever;
}
namespace volan::runtime {
class EndpointDirectory;
}
namespace volan::llm {
class Embedder;
}

namespace volan::app {

struct ServerOptions {
  std::string project_folder;
  std::string data_folder;
  std::string listen;  ///< empty = volan.yaml's
  core::LogLevel log_level = core::LogLevel::info;
};

/// A running volan. Construction blocks until the port answers; the model servers start behind it.
class Server {
 public:
  /// Errors: conflict when another process has the data folder or the port, invalid_argument with file:line for a bad volan.yaml.
  static core::Result<std::unique_ptr<Server>> start(ServerOptions options);
  ~Server();  // stops accepting, lets requests finish, ends the model servers

  std::string url() const;
  /// URL with a one-time token for the first sign-in. Valid for 15 minutes, once.
  core::Result<std::string> sign_in_url();
  const ProjectFile& project() const;
  core::Pools& pools();
  runtime::EndpointDirectory& endpoints();
  feature::FeatureStore& features();
  llm::Embedder& embedder();
  rag::Retriever& retriever();
  const net::Router& router() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The project id of the data that the first admin key belongs to.
inline constexpr std::string_view default_project = "default";

}  // namespace volan::app

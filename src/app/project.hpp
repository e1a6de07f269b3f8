/// volan.yaml: what a project folder says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/result.hpp"
#include "deploy/types.hpp"
#include "feature/config.hpp"
#include "runtime/types.hpp"

namespace volan::app {

struct ServerConfig {
  static constexpr bool lenient_defaults = true;
  std::string listen = "127.0.0.1:8400";
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::int64_t body_bytes_max = 10 << 20;
  std::int64_t trace_retention_days = 0;
};
constexpr auto describe(const ServerConfig*) {
  using S = ServerConfig;
  return core::object("ServerConfig", core::field("listen", &S::listen, "host:port; port 0 takes a free one."),
                      core::field("tls_certificate_file", &S::tls_certificate_file, "PEM file; with tls_key_file the server speaks TLS."),
                      core::field("tls_key_file", &S::tls_key_file, "PEM file."),
                      core::field("body_bytes_max", &S::body_bytes_max, "Largest request body."),
                      core::field("trace_retention_days", &S::trace_retention_days, "Older traces are removed; 0 keeps them for ever."));
}

/// A model that is made from another file before its server starts: safetensors folder in, GGUF file out.
struct ImportConfig {
  std::string folder;
  std::string out;
};
constexpr auto describe(const ImportConfig*) {
  return core::object("ImportConfig", core::field("folder", &ImportConfig::folder, "Folder with model.safetensors, config.json and vocab.txt."),
                      core::field("out", &ImportConfig::out, "GGUF file to write when it is not there."));
}

struct ProjectFile {
  static constexpr bool lenient_defaults = true;
  std::string name = "volan";
  std::string database;  ///< empty = SQLite in the data folder
  ServerConfig server{};
  std::vector<ImportConfig> imports;
  std::vector<runtime::EndpointSpec> endpoints;
  std::string embedder;
  feature::FeatureConfig features{};
  std::vector<deploy::App> apps;
};
constexpr auto describe(const ProjectFile*) {
  using P = ProjectFile;
  return core::object("ProjectFile", core::field("name", &P::name, "Name of the project."),
                      core::field("database", &P::database, "postgresql://... for the metadata; SQLite in the data folder when absent."),
                      core::field("server", &P::server, "The HTTP server."), core::field("imports", &P::imports, "Models to convert first."),
                      core::field("endpoints", &P::endpoints, "Places that answer: model servers and remote providers."),
                      core::field("embedder", &P::embedder, "The embedding endpoint of the feature store; the only one when absent."),
                      core::field("features", &P::features, "Sources and how they are cut."), core::field("apps", &P::apps, "What clients call as model."));
}

/// Reads FOLDER/volan.yaml and checks it as a whole. `{data}` and `{cache}` in paths become the data and the cache folder.
/// Errors: not_found without the file, invalid_argument with file:line.
core::Result<ProjectFile> read_project(const std::string& folder, const std::string& data_folder);

/// $VOLAN_CACHE, else ~/.cache/volan: where set-up puts models and the model server.
std::string cache_folder();

}  // namespace volan::app

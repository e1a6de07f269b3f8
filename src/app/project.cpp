#include "app/project.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/file.hpp"
#include "core/json.hpp"

namespace volan::app {
namespace {

using core::ErrorCode;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
}

}  // namespace

std::string cache_folder() {
  if (const char* set = std::getenv("VOLAN_CACHE"); set != nullptr && *set != '\0') return set;
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "/root") + "/.cache/volan";
}

core::Result<ProjectFile> read_project(const std::string& folder, const std::string& data_folder) {
  const std::string file = folder + "/volan.yaml";
  if (!std::filesystem::exists(file))
    return core::fail(ErrorCode::not_found, "no volan.yaml in this folder", folder, "name a project folder with --project, for example examples/llm_twin");
  VOLAN_TRY(auto text, core::read_file(file, 1 << 20));
  VOLAN_TRY(auto project, core::decode_yaml<ProjectFile>(text, file));
  // Absolute, so that a path that begins with one of them does not get the project folder in front.
  const std::string data = std::filesystem::absolute(data_folder).lexically_normal().string();
  const std::string cache = std::filesystem::absolute(cache_folder()).lexically_normal().string();
  const auto expand = [&](std::string& path) {
    replace_all(path, "{data}", data);
    replace_all(path, "{cache}", cache);
    if (!path.empty() && path[0] != '/') path = folder + "/" + path;
  };
  for (auto& endpoint : project.endpoints)
    if (endpoint.file) expand(*endpoint.file);
  for (auto& import : project.imports) {
    expand(import.folder);
    expand(import.out);
  }
  for (auto& source : project.features.sources) expand(source.folder);
  if (!project.server.tls_certificate_file.empty()) expand(project.server.tls_certificate_file);
  if (!project.server.tls_key_file.empty()) expand(project.server.tls_key_file);
  if (project.embedder.empty())
    for (const auto& endpoint : project.endpoints)
      if (endpoint.kind == runtime::EndpointKind::embedding) project.embedder = endpoint.name;
  const auto at_file = [&](core::Error error) {
    error.path = file + (error.path.empty() ? "" : ": " + error.path);
    return core::fail(std::move(error));
  };
  if (auto good = deploy::check(project.apps); !good) return at_file(std::move(good).error());
  if (!project.features.sources.empty())
    if (auto good = feature::check(project.features); !good) return at_file(std::move(good).error());
  for (std::size_t i = 0; i < project.apps.size(); ++i) {
    const auto& wanted = project.apps[i].endpoint;
    if (auto good = rag::check(project.apps[i].retrieval); !good) {
      core::Error error = std::move(good).error();
      error.path = "apps[" + std::to_string(i) + "].retrieval." + error.path;
      return at_file(std::move(error));
    }
    if (std::ranges::none_of(project.endpoints, [&](const auto& endpoint) { return endpoint.name == wanted; }))
      return at_file({ErrorCode::invalid_argument, "there is no endpoint called " + wanted, "apps[" + std::to_string(i) + "].endpoint",
                      "add it under endpoints"});
  }
  return project;
}

}  // namespace volan::app

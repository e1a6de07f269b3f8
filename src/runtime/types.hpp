/// What the configuration says about endpoints, and what the API shows of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/time.hpp"
#include "runtime/endpoints.hpp"
#include "runtime/server_state.hpp"

namespace volan::runtime {

/// One endpoint as configured: either `file` (volan runs a model server for it) or `url` (any OpenAI-compatible server).
struct EndpointSpec {
  static constexpr bool lenient_defaults = true;
  std::string name;
  EndpointKind kind = EndpointKind::chat;
  std::optional<std::string> file{};
  std::optional<std::string> url{};
  std::optional<std::string> api_key{};
  std::optional<std::string> model{};
  std::optional<std::string> sha256{};
  std::uint32_t context_tokens = 2'048;
  std::uint32_t parallel = 4;
  std::uint32_t threads = 0;
  std::uint32_t cache_mb = 256;
  std::vector<std::string> extra_arguments{};
};

constexpr auto describe(const EndpointSpec*) {
  using S = EndpointSpec;
  return core::object("EndpointSpec", core::field("name", &S::name, "What apps and clients call it: letters, digits, '-', '_' and '.'."),
                      core::field("kind", &S::kind, "chat, embedding or rerank."),
                      core::field("file", &S::file, "A GGUF file: volan runs a model server for it."),
                      core::field("url", &S::url, "An OpenAI-compatible server, for example https://api.example.com/v1."),
                      core::field("api_key", &S::api_key, "Key for the URL; write ${env:NAME}, not the key."),
                      core::field("model", &S::model, "The model's name at the endpoint; the endpoint's name when absent."),
                      core::field("sha256", &S::sha256, "When given, the file must have this hash."),
                      core::field("context_tokens", &S::context_tokens, "Tokens of one request, prompt and answer together."),
                      core::field("parallel", &S::parallel, "Requests worked on at the same time; memory grows with it."),
                      core::field("threads", &S::threads, "Processor threads; 0 = one per core."),
                      core::field("cache_mb", &S::cache_mb, "Memory for the prompts of earlier requests, in MiB."),
                      core::field("extra_arguments", &S::extra_arguments, "Further arguments of llama-server."));
}

/// One endpoint as the API shows it; no secrets.
struct EndpointView {
  std::string name;
  EndpointKind kind = EndpointKind::chat;
  bool managed = false;
  std::string base_url;
  std::string model;
  ServerState state = ServerState::ready;
  std::optional<std::string> progress{};
  std::optional<std::int64_t> pid{};
  std::optional<std::uint64_t> resident_memory_bytes{};
  std::optional<core::Time> started{};
  std::uint64_t restarts = 0;
  std::optional<std::string> last_error{};
  std::optional<core::Time> last_check{};
  std::optional<std::string> identity{};
  std::optional<std::uint32_t> context_tokens{};
};

constexpr auto describe(const EndpointView*) {
  using V = EndpointView;
  return core::object("Endpoint", core::field("name", &V::name, "What apps and clients call it."),
                      core::field("kind", &V::kind, "What it does."),
                      core::field("managed", &V::managed, "True when volan runs its server."),
                      core::field("base_url", &V::base_url, "Where it answers; empty before the first start."),
                      core::field("model", &V::model, "The model's name at the endpoint."),
                      core::field("state", &V::state, "A remote endpoint is always ready: its failures show in the calls."),
                      core::field("progress", &V::progress, "What it is doing while it is not ready."),
                      core::field("pid", &V::pid, "Process of the model server."),
                      core::field("resident_memory_bytes", &V::resident_memory_bytes, "Resident memory of the model server."),
                      core::field("started", &V::started, "When the running process was started."),
                      core::field("restarts", &V::restarts, "Starts after the first one."),
                      core::field("last_error", &V::last_error, "Why it last failed."),
                      core::field("last_check", &V::last_check, "When its health was last looked at."),
                      core::field("identity", &V::identity, "Name and content hash of the model."),
                      core::field("context_tokens", &V::context_tokens, "Tokens of one request."));
}

struct EndpointList {
  std::vector<EndpointView> endpoints;
};
constexpr auto describe(const EndpointList*) {
  return core::object("EndpointList", core::field("endpoints", &EndpointList::endpoints, "By name."));
}

struct EndpointLog {
  std::vector<std::string> lines;
};
constexpr auto describe(const EndpointLog*) {
  return core::object("EndpointLog",
                      core::field("lines", &EndpointLog::lines, "What the model server printed last, oldest first; at most 500 lines."));
}

}  // namespace volan::runtime

/// The llama-server program: where it is, and how it is called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "runtime/endpoints.hpp"

namespace volan::runtime {

/// Path of the program: `configured` when given, else $VOLAN_CACHE or ~/.cache/volan + /build-llama/bin/llama-server, else the first
/// one in PATH. Blocking. Errors: not_found, with all places that were looked at.
core::Result<std::string> find_llama_server(std::string_view configured = {});

/// First line of `llama-server --version`. Blocking (some ms, at most 10 s). Errors: those of Process::start; upstream when it fails.
core::Result<std::string> llama_server_version(const std::string& program);

/// What one server is started for.
struct ServerSettings {
  EndpointKind kind = EndpointKind::chat;
  std::string model_file;
  std::string model_name;                ///< what the server calls its model in the API
  std::uint32_t context_tokens = 2'048;  ///< per request, prompt and answer together; an embedding model is limited to what it was made for
  std::uint32_t parallel = 4;            ///< requests worked on at the same time; memory grows with context_tokens * parallel
  std::uint32_t threads = 0;             ///< 0 = one per core
  std::uint32_t cache_mb = 256;          ///< memory for the prompts of earlier requests, so that a common start is not computed again
  std::vector<std::string> extra_arguments{};  ///< added at the end
};

/// The argument list, without the program and without secrets (the key goes through the environment: other users can see arguments).
std::vector<std::string> server_arguments(const ServerSettings& settings, std::uint16_t port);

/// A port of 127.0.0.1 that nobody listens on right now. Someone may take it before the server does; then another one is tried.
core::Result<std::uint16_t> free_loopback_port();

}  // namespace volan::runtime

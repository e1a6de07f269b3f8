/// Endpoints: the places that answer, be it a managed model server or any OpenAI-compatible URL.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/fields.hpp"
#include "core/result.hpp"

namespace volan::runtime {

enum class EndpointKind { chat, embedding, rerank };

constexpr auto describe(const EndpointKind*) {
  using enum EndpointKind;
  return core::names("EndpointKind", core::name(chat, "chat"), core::name(embedding, "embedding"), core::name(rerank, "rerank"));
}

/// How to reach one endpoint right now. Immutable once published.
struct Endpoint {
  std::string name;  ///< what clients and apps call it
  EndpointKind kind = EndpointKind::chat;
  std::string base_url;             ///< "http://127.0.0.1:41234/v1", no slash at the end
  std::string api_key;              ///< sent as a bearer key; empty = none. Never logged, never in the API
  std::string model;                ///< the model's name at the endpoint
  std::string identity;             ///< name and content hash of the model file, or name and URL for a remote one
  std::int64_t context_tokens = 0;  ///< 0 = unknown
  bool is_managed = false;
};

/// Directory of endpoints. Look-up is lock-free (a published snapshot) and safe on io threads.
class Endpoints {
 public:
  virtual ~Endpoints() = default;
  /// Errors: not_found (names the known endpoints), unavailable with progress text while a managed server is starting or has failed.
  virtual core::Result<std::shared_ptr<const Endpoint>> find_ready(std::string_view name) const = 0;
  /// Names and kinds of all endpoints, ready or not.
  virtual std::map<std::string, EndpointKind> names() const = 0;
};

}  // namespace volan::runtime

/// Chat, embedding and reranking as every module sees them; no wire format, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"

namespace volan::llm {

struct Message {
  std::string role;             ///< system, developer, user, assistant, tool
  std::string content;          ///< text; for content parts the joined text parts
  core::RawJson raw{};          ///< the message as the client sent it, when it has more than role and text (parts, tool calls); else empty
};

struct ChatRequest {
  std::string model;            ///< app or endpoint
  std::vector<Message> messages;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<std::int64_t> tokens_max;
  std::vector<std::string> stop;
  std::optional<std::int64_t> seed;
  /// Further fields of the client's request as a JSON object text, passed to the provider unchanged (tools, response_format, …); "" or "{…}".
  core::RawJson extra{};
};

struct Usage {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t cached_tokens = 0;
};

/// One piece of a streamed answer.
struct ChatChunk {
  std::string text;             ///< may be empty
  core::RawJson delta{};        ///< the provider's delta object when it holds more than text (tool calls, reasoning), else empty
  std::string finish_reason;    ///< "" until the last piece: stop, length, tool_calls, content_filter
  std::optional<Usage> usage;   ///< on the last piece, when the provider told
};

/// A whole answer.
struct ChatAnswer {
  std::string text;
  core::RawJson message{};      ///< the provider's message object when it holds more than text, else empty
  std::string finish_reason = "stop";
  Usage usage;
  std::string model;            ///< what actually answered
};

}  // namespace volan::llm

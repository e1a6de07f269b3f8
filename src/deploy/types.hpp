/// Apps: what clients call as `model`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "core/result.hpp"
#include "rag/types.hpp"

namespace volan::deploy {

/// A chat endpoint, a prompt and retrieval under one name. Immutable while the server runs.
struct App {
  static constexpr bool lenient_defaults = true;
  std::string name;
  std::string title;
  std::string description;
  std::string endpoint;                    ///< the chat endpoint that answers
  std::string author;                      ///< whom the app speaks for; may be used in the prompt
  std::string system;                      ///< the system message
  std::vector<std::string> suggestions;    ///< questions that the chat page offers
  bool use_retrieval = true;
  bool add_citations = true;               ///< sentences that a source supports get its number when the model gave none
  rag::RetrievalSettings retrieval{};
  double temperature = 0.2;
  std::int64_t answer_tokens_max = 200;    ///< when the client sets no limit
};
constexpr auto describe(const App*) {
  return core::object(
      "App", core::field("name", &App::name, "What clients send as model."), core::field("title", &App::title, "Name for people."),
      core::field("description", &App::description, "One sentence."), core::field("endpoint", &App::endpoint, "The chat endpoint that answers."),
      core::field("author", &App::author, "Whom the app speaks for."), core::field("system", &App::system, "The system message."),
      core::field("suggestions", &App::suggestions, "Questions that the chat page offers."),
      core::field("use_retrieval", &App::use_retrieval, "Look for sources before answering."),
      core::field("add_citations", &App::add_citations, "Add the number of the source that supports a sentence."),
      core::field("retrieval", &App::retrieval, "How sources are found."),
      core::field("temperature", &App::temperature, "When the client sets none."),
      core::field("answer_tokens_max", &App::answer_tokens_max, "When the client sets none."));
}

/// Refuses what cannot work. Errors: invalid_argument, path `apps[i].field`.
inline core::Result<> check(const std::vector<App>& apps) {
  for (std::size_t i = 0; i < apps.size(); ++i) {
    const std::string at = "apps[" + std::to_string(i) + "].";
    if (apps[i].name.empty()) return core::fail(core::ErrorCode::invalid_argument, "an app needs a name", at + "name");
    if (apps[i].endpoint.empty()) return core::fail(core::ErrorCode::invalid_argument, "an app needs a chat endpoint", at + "endpoint");
    if (apps[i].answer_tokens_max < 1) return core::fail(core::ErrorCode::invalid_argument, "must be at least 1", at + "answer_tokens_max");
    for (std::size_t j = 0; j < i; ++j)
      if (apps[j].name == apps[i].name) return core::fail(core::ErrorCode::invalid_argument, "two apps are called " + apps[i].name, at + "name");
  }
  return {};
}

}  // namespace volan::deploy

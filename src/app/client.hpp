/// The command line's own calls to a running server, found by VOLAN_URL and VOLAN_API_KEY.
#pragma once

#include <string>

#include "core/fields.hpp"
#include "core/pools.hpp"
#include "core/result.hpp"
#include "net/http.hpp"
#include "rag/types.hpp"

namespace volan::app {

struct Address {
  std::string url;
  std::string key;
};

/// From the environment. Errors: invalid_argument saying which variable is missing.
core::Result<Address> server_address();

struct Timings {
  static constexpr bool lenient_defaults = true;
  double retrieval_ms = 0;
  double first_token_ms = 0;
  double total_ms = 0;
};
constexpr auto describe(const Timings*) {
  return core::object("Timings", core::field("retrieval_ms", &Timings::retrieval_ms), core::field("first_token_ms", &Timings::first_token_ms),
                      core::field("total_ms", &Timings::total_ms));
}

struct Answer {
  std::string question;
  std::string answer;
  std::string trace_id;
  std::vector<rag::Source> sources;
  Timings timings{};
};
constexpr auto describe(const Answer*) {
  return core::object("Answer", core::field("question", &Answer::question), core::field("answer", &Answer::answer),
                      core::field("trace_id", &Answer::trace_id), core::field("sources", &Answer::sources), core::field("timings", &Answer::timings));
}

/// One question to an app, over HTTP as any client would send it. Blocks. Errors: what the server said, unavailable when it cannot be reached.
core::Result<Answer> ask(core::Pools& pools, const Address& address, const std::string& app, const std::string& question);

}  // namespace volan::app

/// What `volan doctor` says about model serving on this machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.hpp"
#include "runtime/types.hpp"

namespace volan::runtime {

enum class FindingLevel { ok, warning, error };
constexpr auto describe(const FindingLevel*) {
  using enum FindingLevel;
  return core::names("FindingLevel", core::name(ok, "ok"), core::name(warning, "warning"), core::name(error, "error"));
}

struct Finding {
  FindingLevel level = FindingLevel::ok;
  std::string what;  ///< "llama-server", "model chat"
  std::string text;  ///< what was found
  std::string fix;   ///< empty when nothing is to be done
};
constexpr auto describe(const Finding*) {
  return core::object("Finding", core::field("level", &Finding::level, "How bad it is."),
                      core::field("what", &Finding::what, "What was looked at."), core::field("text", &Finding::text, "What was found."),
                      core::field("fix", &Finding::fix, "What to do; empty when nothing is to be done."));
}

/// Looks for llama-server, checks each managed endpoint's file (with its whole hash), compares the memory they will need with what is
/// free, and tries to get a loopback port. Starts nothing but `llama-server --version`. Blocking; about 0.2 s per 100 MB of models.
std::vector<Finding> doctor(const std::vector<EndpointSpec>& endpoints, const std::string& llama_server = {});

}  // namespace volan::runtime

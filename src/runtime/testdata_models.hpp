/// Where set-up has put the models that the tests of this module run with. For tests only.
#pragma once

#include <cstdlib>
#include <string>

namespace volan::runtime {

inline std::string cache_folder() {
  if (const char* cache = std::getenv("VOLAN_CACHE"); cache != nullptr && *cache != '\0') return cache;
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.cache/volan";
}
inline std::string demo_chat_model() { return cache_folder() + "/models/SmolLM2-135M-Instruct.Q4_1.gguf"; }
inline std::string demo_embedding_folder() { return cache_folder() + "/models/all-MiniLM-L6-v2"; }

}  // namespace volan::runtime

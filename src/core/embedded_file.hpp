/// Files compiled into the program: migrations, the web UI, templates.
#pragma once

#include <span>
#include <string_view>

namespace volan::core {

/// One embedded file. Both views live as long as the program.
struct EmbeddedFile {
  std::string_view name;
  std::string_view bytes;
};

}  // namespace volan::core

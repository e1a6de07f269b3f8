/// Names from files and requests in messages.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/text.hpp"

namespace volan::runtime {

/// The name in quotes, control characters escaped, cut to 200 bytes. Takes any bytes: fmt's own `{:?}` aborts on ill-formed UTF-8.
inline std::string in_quotes(std::string_view name) { return fmt::format("{:?}", core::make_valid_utf8(name.substr(0, 200))); }

}  // namespace volan::runtime

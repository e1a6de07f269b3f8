/// Text that comes from outside as JSON, and JSON as a line for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace volan::trace {

/// `text` as a JSON string with its quotes (RFC 8259); ill-formed UTF-8 is replaced by U+FFFD.
std::string json_quoted(std::string_view text);

/// A line for people out of a stored JSON value, at most `characters_max` characters: the text itself for a JSON string, the last "content"
/// for a list of chat messages, else the beginning of the JSON. White space runs become one space.
std::string preview_of(std::string_view json, std::size_t characters_max = 300);

}  // namespace volan::trace

/// JSON and YAML to structs and back through their field lists (core/fields.hpp), with error paths.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "core/decode.hpp"
#include "core/fields.hpp"
#include "core/result.hpp"

namespace volan::core {

/// What a key without a field does. Our own API rejects (with the nearest valid key), foreign dialects ignore.
enum class UnknownFields { reject, ignore };

struct DecodeOptions {
  UnknownFields unknown = UnknownFields::reject;
  std::size_t depth_max = 64;
};

/// Parses `bytes` (UTF-8) and fills a T. Errors: invalid_argument; `path` is the field (`messages[2].content`), the message says
/// what was expected and found. Invalid UTF-8, trailing bytes and nesting beyond depth_max are errors. Thread-safe.
template <class T>
Result<T> decode_json(std::string_view bytes, DecodeOptions options = {});

/// The same from a parsed value.
template <class T>
Result<T> decode_json(const boost::json::value& value, DecodeOptions options = {});

/// Compact JSON text of `value`. Absent optionals are left out. int64 as numbers, Time as RFC 3339.
template <class T>
std::string encode_json(const T& value);
template <class T>
boost::json::value to_json(const T& value);

/// Parses a YAML file's text; `file` names it in errors ("volan.yaml:12: ..."). Unknown keys are errors naming the nearest valid key.
template <class T>
Result<T> decode_yaml(std::string_view text, std::string_view file);

/// Parses JSON text; errors as above. `json::parse` with our limits.
Result<boost::json::value> parse_json(std::string_view bytes, std::size_t depth_max = 64);

/// JSON Schema (2020-12, as in OpenAPI 3.1) of T: described objects and enums are `$ref`s and are added to `components`.
template <class T>
boost::json::value json_schema(boost::json::object& components);

}  // namespace volan::core

#include "core/json_impl.hpp"

/// JSON and YAML to structs and back through their field lists (core/fields.hpp), with error paths.
#pragma once

#include <boost/json/value.hpp>
#include <concepts>
#include <string>
#include <string_view>

#include "core/decode.hpp"
#include "core/fields.hpp"
#include "core/result.hpp"

namespace volan::core {

/// Parses `bytes` (UTF-8) and fills a T. Errors: invalid_argument; `path` is the field (`messages[2].content`), the message says
/// what was expected and found. Invalid UTF-8, a key that appears twice, trailing bytes and nesting
/// beyond depth_max are errors. Thread-safe.
template <class T>
Result<T> decode_json(std::string_view bytes, DecodeOptions options = {});

/// The same from a parsed value. (A template, because text would convert to boost::json::value as well.)
template <class T, std::same_as<boost::json::value> Value>
Result<T> decode_json(const Value& value, DecodeOptions options = {});

/// Compact JSON text of `value`. Absent optionals are left out. int64 as numbers, Time as RFC 3339. A RawJson's text is copied
/// unchecked ("" becomes null); everything else is valid JSON whatever the strings hold.
template <class T>
std::string encode_json(const T& value);
/// The same, appended to `out`; builds no document.
template <class T>
void encode_json_to(std::string& out, const T& value);
/// The same as a document, for the few places that edit it. null if a RawJson in it holds no valid JSON.
template <class T>
boost::json::value to_json(const T& value);

/// Parses a YAML file's text; `file` names it in errors: `path` is `volan.yaml:12: apps.twin.model`. Unknown keys are errors naming the
/// nearest valid key. `${env:NAME}` in a string becomes the variable's value (a missing one is an error; `$${env:` stays as `${env:`).
/// A plain scalar that looks like a number or boolean is accepted for a string field. Limits: 4 MiB of text, 100,000 values after
/// aliases are followed, nesting of 64. Anchors and aliases work; merge keys (`<<`), tags and several documents in one file are errors.
template <class T>
Result<T> decode_yaml(std::string_view text, std::string_view file);

/// Parses JSON text; errors as above. `json::parse` with our limits.
Result<boost::json::value> parse_json(std::string_view bytes, std::size_t depth_max = 64);

/// JSON Schema (2020-12, as in OpenAPI 3.1) of T: described objects and enums become `$ref`s to `#/components/schemas/<Name>` and are
/// added to `components`, the object behind that pointer. Arrays and maps are not required but state their default, because answers
/// always have them.
template <class T>
boost::json::value json_schema(boost::json::object& components);

}  // namespace volan::core

#include "core/json_impl.hpp"

/// Templates of core/json.hpp; included by it at its end.
#pragma once

#include <functional>

#include "core/json.hpp"
#include "core/json_text.hpp"

namespace volan::core {
namespace json_detail {

/// Runs `use` with the parsed document; errors of the parser, of the limits and of `use` come back.
using Use = std::function<Result<>(const Document& document, ValueRef root)>;
Result<> with_json_text(std::string_view bytes, std::size_t depth_max, const Use& use);
Result<> with_json_value(const boost::json::value& value, std::size_t depth_max, const Use& use);
Result<> with_yaml_text(std::string_view text, std::string_view file, const Use& use);

template <class T, class With>
Result<T> decode_with(UnknownFields unknown, const With& with) {
  std::optional<T> out;
  const Use use = [&](const Document& document, ValueRef root) -> Result<> {
    VOLAN_TRY(out, Decoder(document, unknown).template decode<T>(root));
    return {};
  };
  VOLAN_TRY_VOID(with(use));
  return std::move(*out);
}

/// True if the member is left out of the encoded text.
template <class T>
bool is_absent(const T& value) {
  if constexpr (decode_detail::is_optional<T>::value)
    return !value.has_value();
  else
    return false;
}

boost::json::object component_ref(std::string_view name);
boost::json::value with_doc(boost::json::value schema, std::string_view doc);
boost::json::value integer_schema(double min, double max, bool is_signed, int bits);

template <class T>
void add_object_schema(boost::json::object& components);

}  // namespace json_detail

template <class T>
Result<T> decode_json(std::string_view bytes, DecodeOptions options) {
  return json_detail::decode_with<T>(
      options.unknown, [&](const json_detail::Use& use) { return json_detail::with_json_text(bytes, options.depth_max, use); });
}

template <class T, std::same_as<boost::json::value> Value>
Result<T> decode_json(const Value& value, DecodeOptions options) {
  return json_detail::decode_with<T>(
      options.unknown, [&](const json_detail::Use& use) { return json_detail::with_json_value(value, options.depth_max, use); });
}

template <class T>
Result<T> decode_yaml(std::string_view text, std::string_view file) {
  return json_detail::decode_with<T>(UnknownFields::reject,
                                     [&](const json_detail::Use& use) { return json_detail::with_yaml_text(text, file, use); });
}

template <class T>
void encode_json_to(std::string& out, const T& value) {
  if constexpr (decode_detail::is_optional<T>::value) {
    if (value)
      encode_json_to(out, *value);
    else
      out += "null";
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_json_string(out, value);
  } else if constexpr (decode_detail::is_id<T>::value) {
    append_json_string(out, value.value);
  } else if constexpr (std::is_same_v<T, Time>) {
    out += '"';
    out += to_rfc3339(value);
    out += '"';
  } else if constexpr (std::is_same_v<T, RawJson>) {
    out += value.text.empty() ? std::string_view("null") : std::string_view(value.text);
  } else if constexpr (DescribedEnum<T>) {
    append_json_string(out, text_of(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    append_json_number(out, value);
  } else if constexpr (decode_detail::is_vector<T>::value) {
    char separator = '[';
    for (const auto& item : value) {
      out += separator;
      separator = ',';
      encode_json_to<typename T::value_type>(out, item);
    }
    out += separator == '[' ? "[]" : "]";
  } else if constexpr (decode_detail::is_map<T>::value) {
    char separator = '{';
    for (const auto& [key, item] : value) {
      if (json_detail::is_absent(item)) continue;
      out += separator;
      separator = ',';
      append_json_string(out, key);
      out += ':';
      encode_json_to(out, item);
    }
    out += separator == '{' ? "{}" : "}";
  } else if constexpr (DescribedObject<T>) {
    char separator = '{';
    const auto add = [&](const auto& f) {
      if (json_detail::is_absent(value.*f.member)) return;
      out += separator;
      separator = ',';
      out += '"';
      out += f.name;  // a name is a plain word
      out += "\":";
      encode_json_to(out, value.*f.member);
    };
    constexpr auto list = describe(static_cast<const T*>(nullptr));
    std::apply([&](const auto&... f) { (add(f), ...); }, list.fields);
    out += separator == '{' ? "{}" : "}";
  } else {
    static_assert(decode_detail::unsupported<T>, "give the type a describe() function (core/fields.hpp), or use a supported one");
  }
}

template <class T>
std::string encode_json(const T& value) {
  std::string out;
  encode_json_to(out, value);
  return out;
}

template <class T>
boost::json::value to_json(const T& value) {
  return parse_json(encode_json(value), 1000).value_or(nullptr);
}

template <class T>
boost::json::value json_schema(boost::json::object& components) {
  if constexpr (decode_detail::is_optional<T>::value) {
    return json_schema<typename T::value_type>(components);
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_same_v<T, std::string> || decode_detail::is_id<T>::value) {
    return {{"type", "string"}};
  } else if constexpr (std::is_same_v<T, Time>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (std::is_same_v<T, RawJson>) {
    return boost::json::object();
  } else if constexpr (DescribedEnum<T>) {
    constexpr auto list = describe(static_cast<const T*>(nullptr));
    if (!components.contains(list.name)) {
      boost::json::array words;
      for (const auto& entry : list.entries) words.emplace_back(entry.name);
      components[list.name] = {{"type", "string"}, {"enum", std::move(words)}};
    }
    return json_detail::component_ref(list.name);
  } else if constexpr (std::integral<T>) {
    return json_detail::integer_schema(static_cast<double>(std::numeric_limits<T>::min()),
                                       static_cast<double>(std::numeric_limits<T>::max()), std::is_signed_v<T>,
                                       static_cast<int>(8 * sizeof(T)));
  } else if constexpr (std::floating_point<T>) {
    return {{"type", "number"}};
  } else if constexpr (decode_detail::is_vector<T>::value) {
    return {{"type", "array"}, {"items", json_schema<typename T::value_type>(components)}};
  } else if constexpr (decode_detail::is_map<T>::value) {
    return {{"type", "object"}, {"additionalProperties", json_schema<typename T::mapped_type>(components)}};
  } else if constexpr (DescribedObject<T>) {
    json_detail::add_object_schema<T>(components);
    return json_detail::component_ref(describe(static_cast<const T*>(nullptr)).name);
  } else {
    static_assert(decode_detail::unsupported<T>, "give the type a describe() function (core/fields.hpp), or use a supported one");
  }
}

namespace json_detail {

template <class T>
void add_object_schema(boost::json::object& components) {
  constexpr auto list = describe(static_cast<const T*>(nullptr));
  if (components.contains(list.name)) return;
  components[list.name] = nullptr;  // a type that contains itself stops here
  boost::json::object properties;
  boost::json::array required;
  const T defaults{};
  const auto add = [&](const auto& f) {
    using M = std::remove_cvref_t<decltype(defaults.*f.member)>;
    boost::json::value schema = with_doc(json_schema<M>(components), f.doc);
    // Members that a reader always finds, though a writer may leave them out, state their default.
    if constexpr ((decode_detail::Lenient<T> && !decode_detail::is_optional<M>::value && !DescribedObject<M>) ||
                  decode_detail::is_vector<M>::value || decode_detail::is_map<M>::value)
      schema.as_object()["default"] = to_json(defaults.*f.member);
    properties[f.name] = std::move(schema);
    if constexpr (!decode_detail::Lenient<T> && !decode_detail::may_be_absent<M>) required.emplace_back(f.name);
  };
  std::apply([&](const auto&... f) { (add(f), ...); }, list.fields);
  boost::json::object schema{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  components[list.name] = std::move(schema);
}

}  // namespace json_detail
}  // namespace volan::core

/// Field lists: a struct names its wire fields once, and decoding, encoding, OpenAPI and the UI's types all come from that list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace volan::core {

/// One field: wire name, member, a sentence for the API reference.
template <class Owner, class Member>
struct Field {
  std::string_view name;
  Member Owner::* member;
  std::string_view doc;
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, Member Owner::* member, std::string_view doc = {}) {
  return {name, member, doc};
}

/// The fields of a struct with its name in OpenAPI. Beside the struct, in its namespace:
///   struct Ask { std::string question; std::optional<std::string> app; };
///   constexpr auto describe(const Ask*) {
///     return core::object("Ask", core::field("question", &Ask::question, "What to ask."),
///                                core::field("app", &Ask::app, "Name of the app; the only one when absent."));
///   }
/// A std::optional or std::vector/std::map member may be absent (JSON null counts as absent); every other member is required,
/// unless the struct sets `static constexpr bool lenient_defaults = true`: then absent members keep their default value.
template <class... Fields>
struct Object {
  std::string_view name;
  std::tuple<Fields...> fields;
};

template <class... Fields>
constexpr Object<Fields...> object(std::string_view name, Fields... fields) {
  return {name, {fields...}};
}

/// Wire names of an enum, beside it:
///   constexpr auto describe(const Role*) { return core::names("Role", core::name(Role::viewer, "viewer"), ...); }
template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
};
template <class Enum>
constexpr EnumName<Enum> name(Enum value, std::string_view text) {
  return {value, text};
}
template <class Enum, std::size_t N>
struct Names {
  std::string_view name;
  EnumName<Enum> entries[N];
};
template <class Enum, class... Rest>
constexpr Names<Enum, 1 + sizeof...(Rest)> names(std::string_view type, EnumName<Enum> first, Rest... rest) {
  return {type, {first, rest...}};
}

template <class T>
concept Described = requires { describe(static_cast<const T*>(nullptr)); };
template <class T>
concept DescribedEnum = Described<T> && std::is_enum_v<T>;
template <class T>
concept DescribedObject = Described<T> && std::is_class_v<T>;

/// Wire name of a described enumerator.
template <DescribedEnum E>
constexpr std::string_view text_of(E value) {
  constexpr auto list = describe(static_cast<const E*>(nullptr));
  for (const auto& entry : list.entries)
    if (entry.value == value) return entry.name;
  return {};
}
template <DescribedEnum E>
constexpr std::optional<E> enum_of(std::string_view text) {
  constexpr auto list = describe(static_cast<const E*>(nullptr));
  for (const auto& entry : list.entries)
    if (entry.name == text) return entry.value;
  return std::nullopt;
}

/// A member that takes any JSON value and keeps its serialised text.
struct RawJson {
  std::string text;
  bool operator==(const RawJson&) const = default;
};

}  // namespace volan::core

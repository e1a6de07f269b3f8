/// The one decoder behind decode_json() and decode_yaml(): fills structs from any parsed document, by their field lists.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/fields.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace volan::core {

/// What a key without a field does. Our own API rejects (with the nearest valid key), foreign dialects ignore.
enum class UnknownFields { reject, ignore };

struct DecodeOptions {
  UnknownFields unknown = UnknownFields::reject;
  std::size_t depth_max = 64;
};

enum class ValueKind { null, boolean, integer, unsigned_integer, real, string, array, object };

/// One value of a parsed document; what the words mean is its Document's business. Valid as long as that document.
struct ValueRef {
  const void* data = nullptr;
  std::size_t index = 0;
};

/// A parsed document: the decoder's view of simdjson, Boost.JSON and YAML. Object keys are unique and all text is valid UTF-8
/// (whoever makes a Document has checked both). Confined to one thread.
class Document {
 public:
  /// A reference to a callable; must not outlive it. Returns false to stop.
  template <class... Arguments>
  class Visitor {
   public:
    template <class F>
    Visitor(F& callable)  // NOLINT(google-explicit-constructor)
        : callable_(&callable), call_([](void* c, Arguments... arguments) { return (*static_cast<F*>(c))(arguments...); }) {}
    bool operator()(Arguments... arguments) const { return call_(callable_, arguments...); }

   private:
    void* callable_;
    bool (*call_)(void*, Arguments...);
  };
  using ElementVisitor = Visitor<ValueRef>;
  using MemberVisitor = Visitor<std::string_view, ValueRef>;

  virtual ~Document() = default;
  virtual ValueKind kind(ValueRef value) const = 0;
  virtual bool boolean(ValueRef value) const = 0;                    ///< kind boolean
  virtual std::int64_t integer(ValueRef value) const = 0;            ///< kind integer
  virtual std::uint64_t unsigned_integer(ValueRef value) const = 0;  ///< kind unsigned_integer: beyond the range of int64
  virtual double real(ValueRef value) const = 0;                     ///< kind real
  virtual std::string_view string(ValueRef value) const = 0;         ///< kind string
  /// The text to use for a string field although the kind is another (YAML: `version: 1.10`); nullopt = a type error.
  virtual std::optional<std::string_view> text_of_scalar(ValueRef) const { return std::nullopt; }
  virtual bool each_element(ValueRef array, ElementVisitor visit) const = 0;
  virtual bool each_member(ValueRef object, MemberVisitor visit) const = 0;
  /// Appends the value as compact JSON.
  virtual void append_json(std::string& out, ValueRef value) const = 0;
  /// "volan.yaml:12" or empty.
  virtual std::string position(ValueRef) const { return {}; }
};

namespace decode_detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class T, class Less>
struct is_map<std::map<std::string, T, Less>> : std::true_type {};
template <class T>
struct is_id : std::false_type {};
template <class Tag>
struct is_id<Id<Tag>> : std::true_type {};
template <class T>
inline constexpr bool unsupported = false;

template <class T>
concept Lenient = requires { requires T::lenient_defaults; };
/// A member that may be left out whatever its struct says.
template <class T>
inline constexpr bool may_be_absent = is_optional<T>::value || is_vector<T>::value || is_map<T>::value;

}  // namespace decode_detail

/// Fills values from a Document and keeps the first error. Used once. The recursion is bounded by the document's own depth limit.
class Decoder {
 public:
  Decoder(const Document& document, UnknownFields unknown) : document_(document), unknown_(unknown) {}

  template <class T>
  Result<T> decode(ValueRef root) {
    T out{};
    if (!read(root, nullptr, out)) return std::unexpected(std::move(error_));
    return out;
  }

 private:
  /// The way from the root to a value, as links on the stack; it becomes text only for an error.
  struct Step {
    const Step* parent;
    std::string_view key;
    std::size_t index;  // of an element; npos for a member
  };
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  template <class T>
  bool read(ValueRef value, const Step* at, T& out) {
    if constexpr (decode_detail::is_optional<T>::value) {
      if (document_.kind(value) == ValueKind::null) return out.reset(), true;
      return read(value, at, out.emplace());
    } else if constexpr (std::is_same_v<T, bool>) {
      if (document_.kind(value) != ValueKind::boolean) return wrong_type(value, at, "a boolean");
      return out = document_.boolean(value), true;
    } else if constexpr (std::is_same_v<T, std::string>) {
      return read_string(value, at, out);
    } else if constexpr (decode_detail::is_id<T>::value) {
      return read_string(value, at, out.value);
    } else if constexpr (std::is_same_v<T, Time>) {
      return read_time(value, at, out);
    } else if constexpr (std::is_same_v<T, RawJson>) {
      out.text.clear();
      return document_.append_json(out.text, value), true;
    } else if constexpr (DescribedEnum<T>) {
      return read_enum(value, at, out);
    } else if constexpr (std::integral<T>) {
      return read_integer(value, at, out);
    } else if constexpr (std::floating_point<T>) {
      double number = 0;
      if (!read_real(value, at, number)) return false;
      return out = static_cast<T>(number), true;
    } else if constexpr (decode_detail::is_vector<T>::value) {
      return read_vector(value, at, out);
    } else if constexpr (decode_detail::is_map<T>::value) {
      return read_map(value, at, out);
    } else if constexpr (DescribedObject<T>) {
      return read_object(value, at, out);
    } else {
      static_assert(decode_detail::unsupported<T>, "give the type a describe() function (core/fields.hpp), or use a supported one");
    }
  }

  template <class T>
  bool read_integer(ValueRef value, const Step* at, T& out) {
    const ValueKind kind = document_.kind(value);
    bool fits = false;
    if (kind == ValueKind::integer) {
      const std::int64_t number = document_.integer(value);
      fits = std::in_range<T>(number);
      out = static_cast<T>(number);
    } else if (kind == ValueKind::unsigned_integer) {
      const std::uint64_t number = document_.unsigned_integer(value);
      fits = std::in_range<T>(number);
      out = static_cast<T>(number);
    } else if (kind == ValueKind::real) {
      // 100.0 is an integer in JSON's eyes; beyond 2^53 a double no longer tells which one.
      const double number = document_.real(value);
      if (std::trunc(number) != number || std::abs(number) > 9007199254740992.0) return wrong_type(value, at, "an integer");
      fits = std::in_range<T>(static_cast<std::int64_t>(number));
      out = static_cast<T>(static_cast<std::int64_t>(number));
    } else {
      return wrong_type(value, at, "an integer");
    }
    return fits || out_of_range(value, at, std::to_string(std::numeric_limits<T>::min()), std::to_string(std::numeric_limits<T>::max()));
  }

  template <class E>
  bool read_enum(ValueRef value, const Step* at, E& out) {
    constexpr auto list = describe(static_cast<const E*>(nullptr));
    std::vector<std::string_view> allowed;
    std::string text;
    if (document_.kind(value) == ValueKind::string || document_.text_of_scalar(value)) {
      if (!read_string(value, at, text)) return false;
      if (const auto found = enum_of<E>(text)) return out = *found, true;
    }
    for (const auto& entry : list.entries) allowed.push_back(entry.name);
    return wrong_name(value, at, text, allowed);
  }

  template <class T>
  bool read_vector(ValueRef value, const Step* at, std::vector<T>& out) {
    out.clear();
    if (document_.kind(value) == ValueKind::null) return true;
    if (document_.kind(value) != ValueKind::array) return wrong_type(value, at, "an array");
    auto visit = [&](ValueRef element) {
      const Step step{at, {}, out.size()};
      T item{};
      if (!read(element, &step, item)) return false;
      out.push_back(std::move(item));
      return true;
    };
    return document_.each_element(value, visit);
  }

  template <class Map>
  bool read_map(ValueRef value, const Step* at, Map& out) {
    out.clear();
    if (document_.kind(value) == ValueKind::null) return true;
    if (document_.kind(value) != ValueKind::object) return wrong_type(value, at, "an object");
    auto visit = [&](std::string_view key, ValueRef member) {
      const Step step{at, key, npos};
      return read(member, &step, out[std::string(key)]);
    };
    return document_.each_member(value, visit);
  }

  template <class T>
  bool read_object(ValueRef value, const Step* at, T& out) {
    constexpr auto list = describe(static_cast<const T*>(nullptr));
    constexpr std::size_t count = std::tuple_size_v<decltype(list.fields)>;
    constexpr auto names = std::apply([](const auto&... f) { return std::array<std::string_view, count>{f.name...}; }, list.fields);
    if (document_.kind(value) == ValueKind::null && decode_detail::Lenient<T>) return true;
    if (document_.kind(value) != ValueKind::object) return wrong_type(value, at, "an object");

    std::array<bool, count> is_seen{};
    auto visit = [&](std::string_view key, ValueRef member) {
      const Step step{at, key, npos};
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        bool is_good = true;
        const bool is_known = ((key == names[I] && (is_seen[I] = true, is_good = read_member<T, I>(member, &step, out), true)) || ...);
        if (!is_known && unknown_ == UnknownFields::reject) return unknown_field(member, &step, {names.data(), names.size()});
        return is_good;
      }(std::make_index_sequence<count>());
    };
    if (!document_.each_member(value, visit)) return false;
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((is_seen[I] || decode_detail::Lenient<T> || decode_detail::may_be_absent<member_t<T, I>> || missing(value, at, names[I])) &&
              ...);
    }(std::make_index_sequence<count>());
  }

  template <class T, std::size_t I>
  using member_t = std::remove_cvref_t<decltype(std::declval<T&>().*(std::get<I>(describe(static_cast<const T*>(nullptr)).fields).member))>;

  template <class T, std::size_t I>
  bool read_member(ValueRef value, const Step* at, T& out) {
    // Null counts as absent where absence is allowed.
    if (decode_detail::Lenient<T> && document_.kind(value) == ValueKind::null) return true;
    return read(value, at, out.*(std::get<I>(describe(static_cast<const T*>(nullptr)).fields).member));
  }

  bool read_string(ValueRef value, const Step* at, std::string& out);
  bool read_time(ValueRef value, const Step* at, Time& out);
  bool read_real(ValueRef value, const Step* at, double& out);

  // Each of these keeps the error and returns false.
  bool fail_at(ValueRef value, const Step* at, std::string message, std::string fix = {});
  bool wrong_type(ValueRef value, const Step* at, std::string_view expected);
  bool out_of_range(ValueRef value, const Step* at, const std::string& min, const std::string& max);
  bool wrong_name(ValueRef value, const Step* at, std::string_view found, std::span<const std::string_view> allowed);
  bool unknown_field(ValueRef value, const Step* at, std::span<const std::string_view> known);
  bool missing(ValueRef object, const Step* at, std::string_view field);

  const Document& document_;
  UnknownFields unknown_;
  Error error_;
};

}  // namespace volan::core

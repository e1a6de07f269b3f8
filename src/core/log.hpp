/// Structured logs: a fixed event name plus fields, one JSON line each (or readable lines on a terminal).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace spdlog {
class logger;
}

namespace volan::core {

enum class LogLevel { debug, info, warn, error, off };

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <class I>
    requires std::is_integral_v<I> && (!std::is_same_v<I, bool>)
  LogField(std::string_view k, I v) : key(k) {
    if constexpr (std::is_signed_v<I>)
      value = static_cast<std::int64_t>(v);
    else
      value = static_cast<std::uint64_t>(v);
  }
};

/// Writes log lines to standard error (never to standard output, which belongs to results). Thread-safe. Never prompt text, answers,
/// keys or personal data above debug level. The event name is part of the interface.
/// Example: `log.warn("provider_retry", {{"provider", id}, {"attempt", n}});`
class Log {
 public:
  enum class Format { json, text };
  explicit Log(LogLevel level = LogLevel::info, Format format = Format::json);

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const { write(LogLevel::debug, event, fields); }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const { write(LogLevel::info, event, fields); }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const { write(LogLevel::warn, event, fields); }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const { write(LogLevel::error, event, fields); }
  bool is_on(LogLevel level) const { return level >= level_; }

 private:
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;
  LogLevel level_;
  Format format_;
  std::shared_ptr<spdlog::logger> logger_;  // shared by the copies of this Log
};

}  // namespace volan::core

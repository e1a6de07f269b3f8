/// What can go wrong: one error type for the whole product.
#pragma once

#include <string>
#include <string_view>

namespace volan::core {

/// Why something failed. `net` maps each code to one HTTP status.
enum class ErrorCode {
  invalid_argument,    ///< the caller sent something malformed or out of range; `path` names the field (400)
  unauthenticated,     ///< no key, or one that is unknown, expired or revoked (401)
  permission_denied,   ///< the key is valid, its role does not allow this (403)
  not_found,           ///< the named thing does not exist in the caller's project (404)
  conflict,            ///< it exists already, or changed since it was read (409)
  too_large,           ///< a body, header or prompt beyond its configured limit (413)
  resource_exhausted,  ///< a rate, quota or queue limit; try again later (429)
  cancelled,           ///< the caller left or the server is stopping (499)
  deadline_exceeded,   ///< the time limit passed (504)
  unavailable,         ///< a part that is needed is down or still starting; try again (503)
  upstream,            ///< an outside service answered with an error or with nonsense (502)
  data_loss,           ///< stored bytes are missing or fail their checksum (500)
  internal,            ///< a bug or an unexpected failure of the machine (500)
};

/// Stable, machine-readable name, for example "invalid_argument". The API sends it as `code`.
std::string_view name_of(ErrorCode code);

/// A failure with its remedy. Values are safe to copy between threads.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  ///< what was wrong with which value, for a person; no secrets, no prompt text
  std::string path{};   ///< offending field or file position: `messages[2].content`, `volan.yaml:12`; may be empty
  std::string fix{};    ///< what to do about it; may be empty
};

/// "path: message (fix)" on one line, for logs and terminals.
std::string to_text(const Error& error);

}  // namespace volan::core

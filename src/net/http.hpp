/// HTTP messages, handlers and the route table: what every routes.cpp and dialect_*.cpp is written against.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/task.hpp"

namespace volan::net {

enum class Verb { get, head, post, put, patch, del, options };
std::string_view name_of(Verb verb);  ///< "GET"

/// What a route needs. Roles are ordered: a member may do what a viewer may.
enum class Access { anyone, viewer, member, admin };

/// Who is calling: filled in by the Authenticator (auth) before a handler runs. For Access::anyone routes without a key, project is empty.
struct Principal {
  std::string project;         ///< id of the project that the key or session belongs to
  std::string actor;           ///< id of the key or user, for audit and traces
  Access role = Access::anyone;
  bool is_session = false;     ///< a browser cookie (then non-GET requests need the X-Volan-CSRF header)
};

/// A header list that keeps order and compares names without case.
class Headers {
 public:
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  /// Empty view when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return list_; }

 private:
  std::vector<std::pair<std::string, std::string>> list_;
};

/// One request. Lives until its handler has finished. The body has been read completely and is within the route's limit.
struct Request {
  Verb verb = Verb::get;
  std::string target;                          ///< as sent, with the query
  std::string path;                            ///< decoded path, without the query
  std::map<std::string, std::string, std::less<>> params;  ///< from {name} in the route's path, decoded; {name...} takes the rest
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  Headers headers;
  std::string body;
  std::string id;                              ///< request id, 32 hex digits; sent back as x-request-id
  std::string client_address;
  Principal principal;
  boost::asio::any_io_executor executor;       ///< the connection's io loop

  /// The last query value of that name, if any.
  std::optional<std::string_view> query_value(std::string_view name) const;
  std::string_view param(std::string_view name) const;
};

/// The open end of a streamed answer (server-sent events or any chunked body). Confined to the connection's io loop.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  /// Waits until the kernel took the bytes, so a slow client slows the producer. Errors: cancelled when the client has left.
  virtual core::Task<> write(std::string_view bytes) = 0;
};

/// Produces a streamed body. When the client leaves, the coroutine is cancelled (asio terminal cancellation) and write() fails.
/// An error returned after bytes were sent closes the connection without the final chunk.
using BodyProducer = std::function<core::Task<>(BodyWriter& writer)>;

struct Response {
  unsigned status = 200;
  Headers headers;
  std::string body;
  BodyProducer stream;  ///< when set, `body` is ignored and the answer is chunked

  static Response json(std::string body, unsigned status = 200);
  static Response text(std::string body, unsigned status = 200);
  /// text/event-stream with Cache-Control: no-cache.
  static Response events(BodyProducer producer);
};

/// A request's answer. A failed Result becomes an error answer by the error writer of the route.
using Handler = std::function<core::Task<Response>(Request& request)>;

/// How a core::Error looks on the wire: our own API or a foreign dialect's form.
using ErrorWriter = Response (*)(const core::Error& error, const Request& request);
/// {"error":{"code","message","path","fix","request_id"}} with the status of status_of().
Response native_error(const core::Error& error, const Request& request);
/// The one table from error code to HTTP status. Text of a 500 shows nothing internal.
unsigned status_of(core::ErrorCode code);

/// What the API reference says about a route. Schemas are made by core::json_schema<T>.
struct RouteDoc {
  std::string summary;                                       ///< one sentence; empty = left out of OpenAPI
  std::string tag;                                           ///< area, for grouping
  std::function<void(class OpenApiOperation&)> describe{};   ///< adds schemas; see net/openapi.hpp
};

struct Route {
  Verb verb;
  std::string path;  ///< "/api/v1/traces/{id}"; "{id...}" takes the rest with slashes
  Access access;
  Handler handler;
  RouteDoc doc;
  ErrorWriter error_writer = native_error;
  std::uint64_t body_bytes_max = 0;  ///< 0 = the server's limit
};

/// Fills request.principal. Errors: unauthenticated, permission_denied. Called on an io thread: must not block.
using Authenticator = std::function<core::Result<Principal>(const Request& request)>;

/// The one table of all routes. Built once by app/wiring.cpp, then read-only and thread-safe.
class Router {
 public:
  /// Aborts on two routes with the same verb and pattern (a bug).
  void add(Route route);
  void add(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> params;
    std::string allow;  ///< when only the verb is wrong: the verbs that exist, for the Allow header
  };
  /// O(depth of the path). Literal segments win over parameters. A trailing slash is ignored.
  Match match(Verb verb, std::string_view decoded_path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace volan::net

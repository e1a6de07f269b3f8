/// HTTP messages, handlers and the route table: what every routes.cpp and dialect_*.cpp is written against.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
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

/// A header list that keeps order and compares names without case. All text lies in one buffer, so that a list that is cleared and
/// filled again allocates nothing. Views are valid until the next change. Example: `for (const auto& [name, value] : headers.all()) ...`
class Headers {
 public:
  using Field = std::pair<std::string_view, std::string_view>;

  /// Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  /// Value of the first field of that name; an empty view when absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  void clear();

  /// The fields in order, as pairs of views.
  class All;
  All all() const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint32_t at, name_bytes, value_bytes;  ///< value follows name in bytes_
  };
  Field field(const Entry& entry) const {
    const std::string_view text = std::string_view(bytes_).substr(entry.at);
    return {text.substr(0, entry.name_bytes), text.substr(entry.name_bytes, entry.value_bytes)};
  }
  std::string bytes_;
  std::vector<Entry> entries_;
};

/// The range behind Headers::all().
class Headers::All {
 public:
  class Iterator {
   public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;
    Iterator(const Headers* owner, std::size_t index) : owner_(owner), index_(index) {}
    Field operator*() const { return owner_->field(owner_->entries_[index_]); }
    Iterator& operator++() { ++index_; return *this; }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Headers* owner_;
    std::size_t index_;
  };
  explicit All(const Headers& owner) : owner_(owner) {}
  Iterator begin() const { return {&owner_, 0}; }
  Iterator end() const { return {&owner_, owner_.size()}; }
  std::size_t size() const { return owner_.size(); }
  bool empty() const { return size() == 0; }
  Field operator[](std::size_t index) const { return *Iterator(&owner_, index); }

 private:
  const Headers& owner_;
};

inline Headers::All Headers::all() const { return All(*this); }

/// One request. Lives until its answer has been sent, streamed answers included. The body has been read completely and is within the
/// route's limit. A handler may move the body out.
struct Request {
  Verb verb = Verb::get;
  std::string target;                          ///< as sent, with the query
  std::string path;                            ///< decoded path, without the query; begins with '/', never contains a zero byte
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
  /// Waits until the kernel took the bytes, so a slow client slows the producer. The first call also sends status and headers (in the
  /// same system call); write("") sends them alone. Errors: cancelled when the client has left or the server stops, deadline_exceeded
  /// when the client has not read for ServerOptions::write_timeout.
  virtual core::Task<> write(std::string_view bytes) = 0;
};

/// Produces a streamed body. When the client leaves, the coroutine is cancelled (asio terminal cancellation) and write() fails.
/// An error returned before the first write() becomes an ordinary error answer; after it, the connection is closed without the final chunk.
using BodyProducer = std::function<core::Task<>(BodyWriter& writer)>;

/// An answer. The server adds server, date, x-request-id, connection and the length or chunking; a handler's own values of these are
/// left out, with two exceptions: content-length on a stream (then the body is sent without chunks and must have exactly that length)
/// and on an answer to HEAD. Control bytes in header values become spaces.
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
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// Aborts on two routes with the same verb and pattern, and on a pattern that is not a path (bugs).
  void add(Route route);
  void add(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  ///< valid until the next add()
    std::map<std::string, std::string, std::less<>> params;
    std::string allow;  ///< when only the verb is wrong: the verbs that exist, for the Allow header
  };
  /// O(depth of the path). Literal segments win over parameters, parameters over a rest. A trailing slash is ignored.
  /// HEAD finds the GET route where there is no HEAD route.
  Match match(Verb verb, std::string_view decoded_path) const;
  /// The same for a path that is split already, so that a segment may contain a decoded slash.
  Match match(Verb verb, std::span<const std::string_view> segments) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace volan::net

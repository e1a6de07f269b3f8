// Deciding whether a request reaches its handler, and answering it.
#include <boost/asio/post.hpp>
#include <charconv>

#include "core/ids.hpp"
#include "net/connection.hpp"

namespace volan::net {
namespace {

namespace asio = boost::asio;
using Clock = Sweeper::Clock;

/// Up to here a body is copied behind its header, which is cheaper than a second buffer in the system call.
constexpr std::size_t copied_bytes_max = 16u << 10;

std::uint64_t length_field(const Headers& headers) {
  const std::string_view text = headers.get("content-length");
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

void Connection::refuse(unsigned status, core::ErrorCode code, std::string message, std::string fix) {
  refusal_ = Refusal{status, core::Error{code, std::move(message), {}, std::move(fix)}};
}

void Connection::refuse_for(const ParseError& parse_error) {
  using boost::beast::http::error;
  using core::ErrorCode;
  const auto& options = state_->options;
  if (parse_error == error::header_limit && parser_->has_too_many_fields())
    return refuse(431, ErrorCode::too_large, "the request has too many header fields");
  if (parse_error == error::header_limit && !parser_->has_target())
    return refuse(414, ErrorCode::too_large, "the request line is longer than " + std::to_string(options.header_bytes_max) + " bytes");
  if (parse_error == error::header_limit)
    return refuse(431, ErrorCode::too_large, "the request's header is longer than " + std::to_string(options.header_bytes_max) + " bytes");
  if (parse_error == error::body_limit)
    return refuse(413, ErrorCode::too_large, "the request's body is longer than " + std::to_string(body_bytes_max()) + " bytes");
  refuse(400, ErrorCode::invalid_argument, "this is not a valid HTTP/1.1 request: " + parse_error.message());
}

void Connection::check_request() {
  check_message();
  if (!refusal_) find_route();
  if (!refusal_ && route_) check_access();
  if (refusal_) return;
  if (const auto length = parser_->content_length(); length && *length > body_bytes_max()) refuse_for(boost::beast::http::error::body_limit);
}

/// The rules of RFC 9112 that Beast leaves to us. A message whose end two servers could see in different places is refused.
void Connection::check_message() {
  using core::ErrorCode;
  if (parser_->is_http11() ? parser_->hosts() != 1 : parser_->hosts() > 1)
    return refuse(400, ErrorCode::invalid_argument, "a request needs exactly one Host header");
  if (parser_->has_coding()) {
    if (parser_->has_length()) return refuse(400, ErrorCode::invalid_argument, "a request cannot have both Content-Length and Transfer-Encoding");
    if (!parser_->is_http11()) return refuse(400, ErrorCode::invalid_argument, "an HTTP/1.0 request cannot have a Transfer-Encoding");
    if (!parser_->is_only_chunked()) return refuse(501, ErrorCode::invalid_argument, "chunked is the only Transfer-Encoding that is understood");
  }
  if (parser_->expects_other()) return refuse(417, ErrorCode::invalid_argument, "100-continue is the only expectation that is understood");
  if (!parser_->has_verb()) return refuse(501, ErrorCode::invalid_argument, "the method is not understood", "use one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS");
}

void Connection::find_route() {
  if (auto parsed = parse_target(request_.target, request_.path, segments_, request_.query); !parsed) {
    refusal_ = Refusal{0, std::move(parsed).error()};
    return;
  }
  if (request_.path == "*" && request_.verb == Verb::options) {
    allow_ = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    return;
  }
  auto match = state_->router.match(request_.verb, std::span<const std::string_view>(segments_.data(), segments_.size()));
  route_ = match.route;
  request_.params = std::move(match.params);
  if (route_) return;
  allow_ = std::move(match.allow);
  if (allow_.empty()) return refuse(0, core::ErrorCode::not_found, "there is nothing at " + request_.path);
  if (request_.verb != Verb::options)
    refuse(405, core::ErrorCode::invalid_argument, request_.path + " does not take " + std::string(name_of(request_.verb)), "use one of " + allow_);
}

void Connection::check_access() {
  const bool is_open = route_->access == Access::anyone;
  if (is_open && !parser_->has_credentials()) return;
  auto principal = state_->authenticator ? state_->authenticator(request_) : core::fail(core::ErrorCode::unauthenticated, "this server has no keys");
  if (!principal) {
    if (!is_open) refusal_ = Refusal{0, std::move(principal).error()};
    return;
  }
  request_.principal = std::move(*principal);
  if (request_.principal.role < route_->access)
    return refuse(0, core::ErrorCode::permission_denied, "the role of this key does not allow " + std::string(name_of(request_.verb)) + " " + request_.path);
  const bool is_safe = request_.verb == Verb::get || request_.verb == Verb::head || request_.verb == Verb::options;
  if (request_.principal.is_session && !is_safe && !request_.headers.has("x-volan-csrf"))
    refuse(0, core::ErrorCode::permission_denied, "a browser session needs the X-Volan-CSRF header to change something", "send X-Volan-CSRF: 1");
}

boost::asio::awaitable<core::Result<Response>> Connection::call_handler() {
  if (!route_) {  // OPTIONS without a route of its own
    Response response;
    response.status = 204;
    response.headers.add("allow", allow_);
    co_return response;
  }
  watched_from = started_ + loop_.sweeper->period();
  core::Result<Response> result;
  try {
    result = co_await route_->handler(request_);
  } catch (const std::exception& exception) {
    result = core::fail(is_aborted_ ? core::ErrorCode::cancelled : core::ErrorCode::internal, exception.what());
  }
  co_return result;
}

Response Connection::error_response(const core::Error& error) const {
  Response response = (route_ ? route_->error_writer : native_error)(error, request_);
  if (refusal_ && refusal_->status) response.status = refusal_->status;
  if (refusal_ && refusal_->status == 405) response.headers.set("allow", allow_);
  if (response.status >= 500 && error.code != core::ErrorCode::unavailable)
    state_->log.error("http_request_failed", {{"request_id", request_.id}, {"route", route_ ? route_->path : "none"}, {"code", core::name_of(error.code)},
                                              {"error", core::to_text(error)}});
  return response;
}

void Connection::append_head_of(const Response& response, Framing framing, std::uint64_t length, Next next) {
  HeadParts parts;
  parts.framing = framing;
  parts.length = length;
  if (next != Next::request) parts.keep_alive = KeepAlive::no;
  else if (!parser_->is_http11()) parts.keep_alive = KeepAlive::yes_said;
  parts.date = loop_.date.now();
  parts.request_id = request_.id;
  append_head(out_, response, parts);
}

boost::asio::awaitable<Connection::Next> Connection::answer(core::Result<Response> result, Next next) {
  if (is_aborted_) {
    if (client_left_) {
      end_request(499);
      co_return Next::close;
    }
    result = core::fail(core::ErrorCode::unavailable, "the server is stopping");
  }
  if (next == Next::request && state_->is_stopping) next = Next::close;
  Response response = result ? std::move(*result) : error_response(result.error());
  if (response.status < 200 || response.status > 999) response = error_response({core::ErrorCode::internal, "the handler gave the status " + std::to_string(response.status)});
  const bool is_head = request_.verb == Verb::head && route_;
  if (response.stream && !is_head) co_return co_await send_stream(std::move(response), next);

  const bool is_bodiless = response.status == 204 || response.status == 304;
  const std::uint64_t length = is_head && response.headers.has("content-length") ? length_field(response.headers) : response.body.size();
  const bool has_known_length = !response.stream || response.headers.has("content-length");
  out_.clear();
  append_head_of(response, is_bodiless ? Framing::none : has_known_length ? Framing::length : Framing::chunked, length, next);
  Wire::Buffers buffers{};
  if (!is_head && !is_bodiless) {
    if (response.body.size() <= copied_bytes_max) out_.append(response.body);
    else buffers[1] = asio::buffer(response.body);
  }
  buffers[0] = asio::buffer(out_);
  Wire::Error error;
  if (!wire_.write_now(buffers, error)) error = co_await send_rest(buffers);
  end_request(response.status);
  co_return error ? Next::close : next;
}

boost::asio::awaitable<Wire::Error> Connection::send_rest(const Wire::Buffers& buffers) {
  if (is_aborted_) co_return asio::error::operation_aborted;
  timed_out_ = false;
  deadline = Clock::now() + state_->options.write_timeout;
  const auto [error, bytes] = co_await wire_.write_rest(buffers);
  deadline = Sweeper::never;
  co_return error;
}

void Connection::end_request(unsigned status) {
  watched_from = Sweeper::never;
  ended_ = Clock::now();
  if (state_->is_orphaned) return;
  state_->metrics.count(route_, status, ended_ - started_);
  if (state_->log.is_on(core::LogLevel::debug))
    state_->log.debug("http_request", {{"request_id", request_.id}, {"method", name_of(request_.verb)}, {"path", request_.path}, {"status", status},
                                       {"ms", std::chrono::duration<double, std::milli>(ended_ - started_).count()}, {"client", request_.client_address}});
}

/// Frames what a producer writes. Lives in the frame of send_stream().
class Connection::StreamWriter final : public BodyWriter {
 public:
  StreamWriter(Connection& owner, const Response& response, Next next)
      : owner_(owner), response_(response), next_(next), framing_(Framing::close), length_(length_field(response.headers)) {
    if (response.headers.has("content-length")) framing_ = Framing::length;
    else if (owner.parser_->is_http11()) framing_ = Framing::chunked;
    if (framing_ == Framing::close) next_ = Next::close;
  }

  core::Task<> write(std::string_view bytes) override {
    if (has_begun_ && bytes.empty()) co_return core::Result<>{};
    if (framing_ == Framing::length && bytes.size() > length_ - written_)
      co_return core::fail(core::ErrorCode::internal, "a streamed body is longer than its content-length");
    written_ += bytes.size();
    begin_message();
    if (framing_ == Framing::chunked && !bytes.empty()) append_chunk_head(owner_.out_, bytes.size());
    co_return co_await send(bytes, framing_ == Framing::chunked && !bytes.empty() ? "\r\n" : "");
  }

  /// The end of the body. False when the connection cannot go on.
  Awaitable<bool> finish() {
    begin_message();
    if (framing_ == Framing::length && written_ != length_) {
      owner_.state_->log.error("http_stream_too_short", {{"request_id", owner_.request_.id}, {"bytes", written_}, {"content_length", length_}});
      co_return false;
    }
    if (framing_ == Framing::chunked) owner_.out_.append("0\r\n\r\n");
    const auto sent = co_await send({}, {});
    co_return sent.has_value();
  }
  bool has_begun() const { return has_begun_; }
  Next next() const { return next_; }

 private:
  void begin_message() {
    owner_.out_.clear();
    if (!has_begun_) owner_.append_head_of(response_, framing_, length_, next_);
    has_begun_ = true;
  }

  core::Task<> send(std::string_view bytes, std::string_view tail) {
    std::string& out = owner_.out_;
    if (owner_.is_aborted_) co_return core::fail(core::ErrorCode::cancelled, "the client has left");
    Wire::Buffers buffers{};
    if (bytes.size() <= copied_bytes_max) {
      out.append(bytes).append(tail);
    } else {
      buffers[1] = asio::buffer(bytes.data(), bytes.size());
      buffers[2] = asio::buffer(tail.data(), tail.size());
    }
    buffers[0] = asio::buffer(out);
    Wire::Error error;
    if (!owner_.wire_.write_now(buffers, error)) error = co_await owner_.send_rest(buffers);
    if (!error) co_return core::Result<>{};
    const bool is_slow = owner_.timed_out_;
    owner_.is_aborted_ = owner_.client_left_ = true;
    if (is_slow) co_return core::fail(core::ErrorCode::deadline_exceeded, "the client does not read");
    co_return core::fail(core::ErrorCode::cancelled, "the client has left");
  }

  Connection& owner_;
  const Response& response_;
  Next next_;
  Framing framing_;
  std::uint64_t length_;
  std::uint64_t written_ = 0;
  bool has_begun_ = false;
};

boost::asio::awaitable<Connection::Next> Connection::send_stream(Response response, Next next) {
  StreamWriter writer(*this, response, next);
  core::Result<> done;
  try {
    done = co_await response.stream(writer);
  } catch (const std::exception& exception) {
    done = core::fail(is_aborted_ ? core::ErrorCode::cancelled : core::ErrorCode::internal, exception.what());
  }
  if (!done && !writer.has_begun()) {
    core::Result<Response> failed = core::fail(std::move(done).error());
    co_return co_await answer(std::move(failed), next);
  }
  if (!done && !is_aborted_)
    state_->log.warn("http_stream_failed", {{"request_id", request_.id}, {"route", route_->path}, {"code", core::name_of(done.error().code)},
                                            {"error", core::to_text(done.error())}});
  const bool is_whole = done.has_value() && co_await writer.finish();
  end_request(client_left_ ? 499 : response.status);
  co_return is_whole ? writer.next() : Next::close;
}

}  // namespace volan::net

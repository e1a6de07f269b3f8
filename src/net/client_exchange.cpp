#include "net/client_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cstring>

#include "net/head.hpp"

namespace volan::net {
namespace {

namespace asio = boost::asio;
using Clock = Sweeper::Clock;
using HttpError = boost::beast::http::error;

constexpr std::size_t copied_bytes_max = 16u << 10;    ///< up to here a body is copied behind its header
constexpr std::size_t reserved_bytes_max = 1u << 20;   ///< what is set aside for an announced body before it arrives

/// Fields that the client writes itself.
bool is_own(std::string_view name) {
  using boost::beast::iequals;
  return iequals(name, "host") || iequals(name, "content-length") || iequals(name, "transfer-encoding") || iequals(name, "connection");
}

}  // namespace

ClientExchange::ClientExchange(std::shared_ptr<ClientPool> pool, ClientRequest request)
    : pool_(std::move(pool)),
      request_(std::move(request)),
      first_byte_timeout_(request_.first_byte_timeout.count() > 0 ? request_.first_byte_timeout : pool_->options.first_byte_timeout),
      total_timeout_(request_.total_timeout.count() > 0 ? request_.total_timeout : pool_->options.total_timeout) {}

ClientExchange::~ClientExchange() = default;

core::Error ClientExchange::broken(std::string what) const {
  return {core::ErrorCode::upstream, fmt::format("{}: {}", url_.origin, what)};
}

core::Error ClientExchange::stopped() const { return {core::ErrorCode::cancelled, fmt::format("the call of {} was cancelled", url_.origin)}; }

core::Error ClientExchange::wait_failed(const char* what, const Wire::Error& error) const {
  if (connection_->timed_out) {
    const bool is_total = total_until_ <= Clock::now() || has_answered_;
    return {core::ErrorCode::deadline_exceeded,
            fmt::format("{}: no {} within {} ms", url_.origin, is_total ? "complete answer" : "answer", (is_total ? total_timeout_ : first_byte_timeout_).count())};
  }
  if (error == asio::error::operation_aborted) return stopped();
  return broken(fmt::format("{}: {}", what, error.message()));
}

core::Result<> ClientExchange::prepare() {
  VOLAN_TRY(url_, parse_url(request_.url));
  for (const auto& [name, value] : request_.headers.all())
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos || name.find_first_of(std::string_view("\r\n\0: ", 5)) != std::string_view::npos)
      return core::fail(core::ErrorCode::invalid_argument, "a header of the request contains a line break or a zero byte", std::string(name));
  const auto now = Clock::now();
  total_until_ = now + total_timeout_;
  first_byte_until_ = std::min(total_until_, now + first_byte_timeout_);
  return {};
}

core::Task<> ClientExchange::open() {
  VOLAN_CO_TRY_VOID(prepare());
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  for (;;) {
    if (is_cancelled(cancellation)) co_return core::fail(stopped());
    connection_ = pool_->take_idle(url_.origin);
    if (!connection_) VOLAN_CO_TRY_VOID(co_await connect());
    auto done = co_await attempt();
    if (done) co_return done;
    // The server may have closed an idle connection just before our request reached it. It has not answered, so ask once more on a new one.
    const bool is_stale = connection_ && connection_->is_reused && !has_answered_ && done.error().code == core::ErrorCode::upstream;
    connection_.reset();
    if (!is_stale) co_return done;
    VOLAN_CO_TRY_VOID(co_await connect());
    done = co_await attempt();
    if (!done) connection_.reset();
    co_return done;
  }
}

core::Task<> ClientExchange::connect() {
  VOLAN_CO_TRY(connection_, pool_->make(url_.origin));
  connection_->deadline = std::min(total_until_, Clock::now() + pool_->options.connect_timeout);
  auto connected = co_await connection_->connect(url_);
  if (!connected) connection_.reset();
  co_return connected;
}

void ClientExchange::write_head(std::string& out) const {
  out.clear();
  out.append(name_of(request_.verb)).append(" ");
  if (!url_.target.starts_with('/')) out.append("/");
  out.append(url_.target).append(" HTTP/1.1\r\nhost: ").append(url_.host_field).append("\r\n");
  for (const auto& [name, value] : request_.headers.all())
    if (!is_own(name)) append_field(out, name, value);
  const bool has_body = !request_.body.empty() || request_.verb == Verb::post || request_.verb == Verb::put || request_.verb == Verb::patch;
  if (has_body) out.append("content-length: ").append(std::to_string(request_.body.size())).append("\r\n");
  out.append("\r\n");
}

core::Task<> ClientExchange::send_request(Wire::Error& error) {
  std::string& out = connection_->out;
  write_head(out);
  Wire::Buffers buffers{};
  if (request_.body.size() <= copied_bytes_max) out.append(request_.body);
  else buffers[1] = asio::buffer(request_.body);
  buffers[0] = asio::buffer(out);
  if (!connection_->wire.write_now(buffers, error)) {
    const auto [rest_error, bytes] = co_await connection_->wire.write_rest(buffers);
    error = rest_error;
  }
  co_return core::Result<>{};
}

core::Task<> ClientExchange::attempt() {
  connection_->deadline = first_byte_until_;
  Wire::Error send_error;
  VOLAN_CO_TRY_VOID(co_await send_request(send_error));
  if (send_error == asio::error::operation_aborted) co_return core::fail(wait_failed("sending the request", send_error));
  // A server that refuses a long body may answer and close before it has read all of it: its answer counts, not our failed write.
  auto read = co_await read_header();
  if (!read) co_return read;
  connection_->deadline = total_until_;
  is_half_sent_ = static_cast<bool>(send_error);
  if (parser_->is_done()) finish();
  co_return core::Result<>{};
}

core::Task<> ClientExchange::read_header() {
  do {  // once, and once more after each interim answer such as 100 Continue
    headers_.clear();
    piece_.clear();
    parser_.emplace(headers_, &piece_);
    parser_->header_limit(pool_->options.header_bytes_max);
    parser_->body_limit(boost::none);
    parser_->skip(request_.verb == Verb::head);
    while (!parser_->is_header_done()) {
      ParseError error;
      connection_->begin += parser_->put(asio::const_buffer(connection_->received.data() + connection_->begin, connection_->end - connection_->begin), error);
      if (parser_->is_header_done()) break;
      if (error && error != HttpError::need_more) co_return core::fail(broken("its answer is not HTTP: " + error.message()));
      VOLAN_CO_TRY_VOID(co_await receive());
    }
  } while (parser_->status() / 100 == 1 && parser_->status() != 101);
  if (parser_->has_unknown_coding()) co_return core::fail(broken("its answer has a transfer encoding that is not understood"));
  parser_->eager(true);
  co_return core::Result<>{};
}

/// Waits for more bytes of the answer. Errors: upstream with the reason "closed" at its end.
core::Task<> ClientExchange::receive() {
  ClientConnection& connection = *connection_;
  if (connection.begin == connection.end) connection.begin = connection.end = 0;
  if (connection.end == connection.received.size() && connection.begin > 0) {
    std::memmove(connection.received.data(), connection.received.data() + connection.begin, connection.end - connection.begin);
    connection.end -= std::exchange(connection.begin, 0);
  }
  if (connection.end == connection.received.size()) {
    if (connection.end >= pool_->options.header_bytes_max) co_return core::fail(broken("the header of its answer is too long"));
    connection.received.resize(std::min<std::size_t>(2 * connection.end, pool_->options.header_bytes_max));
  }
  if (connection.timed_out) co_return core::fail(wait_failed("reading", asio::error::operation_aborted));
  const auto [error, bytes] =
      co_await connection.wire.read_some(asio::buffer(connection.received.data() + connection.end, connection.received.size() - connection.end));
  connection.end += bytes;
  has_answered_ = has_answered_ || bytes > 0;
  if (!error) co_return core::Result<>{};
  // Only a body without length and chunks may end with the connection; anything else is cut off.
  const bool is_end = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  if (is_end && parser_->is_header_done()) {
    ParseError cut;
    parser_->put_eof(cut);
    if (!cut) co_return core::Result<>{};
  }
  co_return core::fail(wait_failed(parser_->is_header_done() ? "its answer was cut off" : "it closed the connection without an answer", error));
}

/// Appends at least one byte of the body, unless it is at its end.
core::Task<> ClientExchange::read_some_body(std::string& into) {
  parser_->body_to(&into);
  const std::size_t before = into.size();
  while (into.size() == before && !parser_->is_done()) {
    ClientConnection& connection = *connection_;
    if (parser_->takes(connection.end - connection.begin)) {
      ParseError error;
      connection.begin += parser_->put(asio::const_buffer(connection.received.data() + connection.begin, connection.end - connection.begin), error);
      if (error && error != HttpError::need_more) co_return core::fail(broken("the body of its answer is not HTTP: " + error.message()));
      if (!error) continue;
      if (into.size() != before) break;
    }
    VOLAN_CO_TRY_VOID(co_await receive());
  }
  if (parser_->is_done()) finish();
  co_return core::Result<>{};
}

void ClientExchange::finish() {
  if (parser_->keep_alive() && parser_->status() != 101 && !is_half_sent_) pool_->put_idle(std::move(connection_));
  connection_.reset();
}

core::Task<> ClientExchange::read_whole(std::string& body) {
  const std::uint64_t most = pool_->options.body_bytes_max;
  const std::uint64_t announced = connection_ ? parser_->content_length().value_or(0) : 0;
  bool is_too_large = announced > most;
  if (!is_too_large) body.reserve(std::min<std::uint64_t>(announced, reserved_bytes_max));
  while (connection_ && !is_too_large) {
    VOLAN_CO_TRY_VOID(co_await read_some_body(body));
    is_too_large = body.size() > most;
  }
  if (is_too_large) co_return core::fail(core::ErrorCode::too_large, fmt::format("the answer of {} is longer than {} bytes", url_.origin, most));
  co_return core::Result<>{};
}

core::Task<std::string_view> ClientExchange::read() {
  if (failure_) co_return core::fail(*failure_);
  piece_.clear();
  if (!connection_) co_return std::string_view();
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  core::Result<> done;
  if (is_cancelled(cancellation)) done = core::fail(stopped());
  else done = co_await read_some_body(piece_);
  if (!done) {
    failure_ = done.error();
    connection_.reset();
    co_return core::fail(*failure_);
  }
  co_return std::string_view(piece_);
}

}  // namespace volan::net

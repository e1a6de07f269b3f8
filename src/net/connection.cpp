// The life of a connection, and reading requests from it. connection_answer.cpp decides and answers.
#include "net/connection.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <cstring>

#include "core/ids.hpp"

namespace volan::net {
namespace {

namespace asio = boost::asio;
using Clock = Sweeper::Clock;

constexpr std::size_t buffer_bytes_start = 8u << 10;       ///< enough for nearly every header
constexpr std::size_t buffer_bytes_kept = 16u << 10;       ///< what an idle connection may hold on to
constexpr std::size_t body_buffer_bytes = 64u << 10;       ///< for chunked bodies; also bounds one chunk header and the trailers
constexpr std::size_t fields_max = 200;
constexpr std::chrono::seconds linger_time_max(2);
constexpr std::size_t linger_bytes_max = 8u << 20;
constexpr std::chrono::seconds tls_goodbye_max(1);

std::string address_of(const Wire::Socket& socket) {
  Wire::Error error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerState> state, ServerLoop& loop, Wire::Socket socket)
    : state_(std::move(state)), loop_(loop), wire_(std::move(socket)), ended_(Clock::now()) {
  wire_.prepare();
  request_.client_address = address_of(wire_.socket());
  request_.executor = loop_.io.get_executor();
  watched_socket = wire_.socket().native_handle();
  loop_.sweeper->add(*this);
  state_->connection_opened();
}

Connection::~Connection() {
  loop_.sweeper->remove(*this);
  wire_.close();
  state_->connection_closed();
}

void Connection::start(std::shared_ptr<Connection> self, Admission admission) {
  Connection& connection = *self;
  // The signal lies in the connection and is used until the coroutine's last step, so the last reference goes one step later.
  auto at_end = [self, &io = connection.loop_.io](std::exception_ptr) { asio::post(io, [self] {}); };
  asio::co_spawn(connection.loop_.io, connection.run(admission), asio::bind_cancellation_slot(connection.cancel_.slot(), std::move(at_end)));
}

boost::asio::awaitable<void> Connection::run(Admission admission) {
  // Cancellation arrives as error codes, so that handlers meet it as a Result and can settle what they began.
  co_await asio::this_coro::throw_if_cancelled(false);
  try {
    co_await serve(admission);
  } catch (const std::exception& exception) {
    if (!is_aborted_) state_->log.error("http_connection_failed", {{"client", request_.client_address}, {"error", exception.what()}});
  }
  wire_.close();
}

boost::asio::awaitable<void> Connection::serve(Admission admission) {
  if (admission == Admission::refused) {
    if (state_->tls) co_return;
    core::Result<Response> full =
        core::fail(core::ErrorCode::unavailable, "the server has its maximum of connections open", "", "try again later, or raise the limit of connections");
    request_.id = core::new_id();
    started_ = ended_;
    co_await answer(std::move(full), Next::linger);
    co_await linger();
    co_return;
  }
  if (state_->tls) {
    wire_.use_tls(*state_->tls);
    deadline = ended_ + state_->options.header_timeout;
    const auto [error] = co_await wire_.handshake(asio::ssl::stream_base::server);
    deadline = Sweeper::never;
    if (error) co_return;
  }
  Next next = Next::request;
  while (next == Next::request) next = co_await serve_one();
  if (next == Next::linger) {
    co_await linger();
  } else if (wire_.is_tls() && !is_aborted_) {
    deadline = Clock::now() + tls_goodbye_max;
    co_await wire_.tls_goodbye();
  }
}

boost::asio::awaitable<Connection::Next> Connection::serve_one() {
  begin_request();
  if (!co_await read_header()) co_return Next::close;
  started_ = Clock::now();
  request_.id = core::new_id();
  Next next = Next::linger;
  if (!refusal_) {
    check_request();
    const std::uint64_t length = parser_->content_length().value_or(0);
    const bool is_body_here = !parser_->chunked() && length <= received();
    if (!refusal_ || is_body_here) {
      next = parser_->keep_alive() ? Next::request : Next::close;
      if (!co_await read_body()) co_return Next::close;
      if (parser_->chunked() ? !parser_->is_done() : request_.body.size() < length) next = Next::linger;
    }
  }
  core::Result<Response> result;
  if (refusal_) result = core::fail(refusal_->error);
  else result = co_await call_handler();
  co_return co_await answer(std::move(result), next);
}

/// Closing a socket while the client still sends makes the kernel reset the connection, and the client may never read the answer. So
/// say that nothing more comes, and throw away what arrives for a little while.
boost::asio::awaitable<void> Connection::linger() {
  wire_.shut_write();
  const auto until = Clock::now() + linger_time_max;
  for (std::size_t dropped = 0; dropped < linger_bytes_max; dropped += end_) {
    begin_ = end_ = 0;
    if (!co_await read_more(until)) co_return;
  }
}

void Connection::begin_request() {
  request_.params.clear();
  request_.headers.clear();
  request_.id.clear();
  request_.principal = {};
  if (request_.body.capacity() > buffer_bytes_kept) request_.body = {};
  else request_.body.clear();
  if (out_.capacity() > 4 * buffer_bytes_kept) out_ = {};
  if (begin_ == end_) {
    begin_ = end_ = 0;
    const std::size_t start = std::min<std::size_t>(buffer_bytes_start, state_->options.header_bytes_max);
    if (received_.size() < start || received_.size() > buffer_bytes_kept) {
      received_.resize(start);
      received_.shrink_to_fit();
    }
  }
  header_bytes_ = 0;
  refusal_.reset();
  route_ = nullptr;
  allow_.clear();
  parser_.emplace(request_, fields_max);
  parser_->header_limit(state_->options.header_bytes_max);
  parser_->body_limit(boost::none);  // ours is checked against the route's limit
}

boost::asio::awaitable<bool> Connection::read_header() {
  auto header_until = Sweeper::never;
  while (parse_header() == Parsed::more) {
    if (!make_room(state_->options.header_bytes_max)) {
      refuse_for(boost::beast::http::error::header_limit);
      co_return true;
    }
    is_idle_ = received() == 0 && header_bytes_ == 0;
    if (is_idle_ && state_->is_stopping) co_return false;
    if (!is_idle_ && header_until == Sweeper::never) header_until = Clock::now() + state_->options.header_timeout;
    const bool is_alive = co_await read_more(is_idle_ ? ended_ + state_->options.idle_timeout : header_until);
    if (!is_alive && !is_idle_ && timed_out_) {
      refuse(408, core::ErrorCode::deadline_exceeded, "the request's header did not arrive in time");
      co_return true;
    }
    is_idle_ = false;
    if (!is_alive) co_return false;
  }
  co_return true;
}

Connection::Parsed Connection::parse_header() {
  // Empty lines before a request are allowed (RFC 9112, 2.2).
  while (header_bytes_ == 0 && received() > 0 && (received_[begin_] == '\r' || received_[begin_] == '\n')) ++begin_;
  if (received() == 0) return Parsed::more;
  ParseError error;
  const std::size_t used = parser_->put(asio::const_buffer(received_.data() + begin_, received()), error);
  begin_ += used;
  header_bytes_ += used;
  const bool is_more = error == boost::beast::http::error::need_more;
  if (!error || is_more) {
    const std::size_t bytes = header_bytes_ + (is_more ? received() : 0);
    error.clear();
    if (bytes > state_->options.header_bytes_max) error = boost::beast::http::error::header_limit;
  }
  if (error) refuse_for(error);
  return is_more && !refusal_ ? Parsed::more : Parsed::done;
}

boost::asio::awaitable<bool> Connection::read_body() {
  const std::uint64_t length = parser_->content_length().value_or(0);
  if (!parser_->chunked() && length <= received()) {  // nearly always: it came with the header
    request_.body.append(received_.data() + begin_, length);
    begin_ += length;
    co_return true;
  }
  if (parser_->expects_continue() && received() == 0) {
    Wire::Buffers buffers{asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25)};
    Wire::Error error;
    if (!wire_.write_now(buffers, error)) error = co_await send_rest(buffers);
    if (error) co_return false;
  }
  const auto until = started_ + state_->options.body_timeout;
  bool is_alive;  // two statements: g++ 12 destroys the coroutine twice when `co_await` takes a conditional expression
  if (parser_->chunked()) is_alive = co_await read_chunked_body(until);
  else is_alive = co_await read_sized_body(length, until);
  if (!is_alive && timed_out_) {
    refuse(408, core::ErrorCode::deadline_exceeded, "the request's body did not arrive in time");
    co_return true;
  }
  co_return is_alive;
}

boost::asio::awaitable<bool> Connection::read_sized_body(std::uint64_t length, Clock::time_point until) {
  std::string& body = request_.body;
  body.append(received_.data() + begin_, received());
  begin_ = end_ = 0;
  // Grows with what has arrived: the announced length alone must not make the server set memory aside.
  std::size_t have = body.size();
  while (have < length) {
    if (is_aborted_) co_return false;
    if (have == body.size()) body.resize(std::min<std::size_t>(length, std::max(body_buffer_bytes, 2 * have)));
    timed_out_ = false;
    deadline = until;
    const auto [error, bytes] = co_await wire_.read_some(asio::buffer(body.data() + have, body.size() - have));
    deadline = Sweeper::never;
    have += bytes;
    if (error) {
      body.resize(have);
      co_return false;
    }
  }
  timed_out_ = false;
  co_return true;
}

boost::asio::awaitable<bool> Connection::read_chunked_body(Clock::time_point until) {
  parser_->eager(true);
  parser_->body_limit(body_bytes_max());
  for (;;) {
    if (parser_->takes(received())) {
      ParseError error;
      begin_ += parser_->put(asio::const_buffer(received_.data() + begin_, received()), error);
      if (parser_->is_done()) break;
      if (error && error != boost::beast::http::error::need_more) {
        refuse_for(error);
        break;
      }
    }
    if (!make_room(body_buffer_bytes)) {
      refuse(400, core::ErrorCode::too_large, "a chunk header or the trailer is too long");
      break;
    }
    if (!co_await read_more(until)) co_return false;
  }
  timed_out_ = false;
  co_return true;
}

boost::asio::awaitable<bool> Connection::read_more(Clock::time_point until) {
  timed_out_ = false;
  if (is_aborted_) co_return false;
  deadline = until;
  const auto [error, bytes] = co_await wire_.read_some(asio::buffer(received_.data() + end_, received_.size() - end_));
  deadline = Sweeper::never;
  end_ += bytes;
  co_return !error;
}

bool Connection::make_room(std::size_t bytes_max) {
  if (end_ < received_.size()) return true;
  if (begin_ > 0) {
    std::memmove(received_.data(), received_.data() + begin_, received());
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  if (received_.size() >= bytes_max) return false;
  received_.resize(std::min(2 * received_.size(), bytes_max));
  return true;
}

void Connection::on_deadline() {
  timed_out_ = true;
  wire_.cancel();
}

void Connection::on_hangup() {
  client_left_ = true;
  is_aborted_ = true;
  cancel_.emit(asio::cancellation_type::terminal);
}

void Connection::stop_softly() {
  if (is_idle_) wire_.cancel();
}

void Connection::stop_hard() {
  is_aborted_ = true;
  cancel_.emit(asio::cancellation_type::terminal);
  wire_.cancel();
}

}  // namespace volan::net

/// One client connection of the HTTP server, from the accepted socket to its end.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/message_parser.hpp"
#include "net/server_state.hpp"
#include "net/target.hpp"

namespace volan::net {

/// Confined to one io loop. One coroutine reads requests one after the other and answers each before it looks at the next, so pipelined
/// requests stay in order. While a handler runs, the loop's sweeper watches the socket; a client that leaves cancels the handler.
class Connection final : public Sweeper::Entry, public std::enable_shared_from_this<Connection> {
 public:
  enum class Admission { served, refused };  ///< refused: there are too many connections, it only gets to hear that

  Connection(std::shared_ptr<ServerState> state, ServerLoop& loop, Wire::Socket socket);
  ~Connection();
  /// Starts the coroutine, which keeps the connection alive. Call on the loop.
  static void start(std::shared_ptr<Connection> self, Admission admission);

  /// The server stops: ends it if it waits for a request; a running one may finish.
  void stop_softly();
  /// The grace is over: cancels the handler and ends every wait.
  void stop_hard();

 private:
  class StreamWriter;
  enum class Next { request, linger, close };  ///< linger: the client may still be sending; let it read the answer first
  enum class Parsed { more, done };
  /// A request that does not reach its handler.
  struct Refusal {
    unsigned status;  ///< 0 = by the error's code
    core::Error error;
  };
  template <class T = void>
  using Awaitable = boost::asio::awaitable<T>;

  Awaitable<> run(Admission admission);
  Awaitable<> serve(Admission admission);
  Awaitable<Next> serve_one();
  Awaitable<> linger();

  // Reading. received_ holds bytes from begin_ to end_ that are not parsed yet. The coroutines return false when the client is gone.
  Awaitable<bool> read_header();
  Awaitable<bool> read_body();
  Awaitable<bool> read_sized_body(std::uint64_t length, Sweeper::Clock::time_point until);
  Awaitable<bool> read_chunked_body(Sweeper::Clock::time_point until);
  Awaitable<bool> read_more(Sweeper::Clock::time_point until);
  Parsed parse_header();
  bool make_room(std::size_t bytes_max);
  void begin_request();
  std::size_t received() const { return end_ - begin_; }
  std::uint64_t body_bytes_max() const { return route_ && route_->body_bytes_max ? route_->body_bytes_max : state_->options.body_bytes_max; }

  // Deciding. Plain functions: each sets refusal_ when the request may not go on.
  void check_request();
  void check_message();
  void find_route();
  void check_access();
  void refuse(unsigned status, core::ErrorCode code, std::string message, std::string fix = {});
  void refuse_for(const ParseError& error);

  // Answering.
  Awaitable<Next> answer(core::Result<Response> result, Next next);
  Awaitable<core::Result<Response>> call_handler();
  Awaitable<Next> send_stream(Response response, Next next);
  Awaitable<Wire::Error> send_rest(const Wire::Buffers& buffers);
  Response error_response(const core::Error& error) const;
  void append_head_of(const Response& response, Framing framing, std::uint64_t length, Next next);
  void end_request(unsigned status);

  void on_deadline() override;
  void on_hangup() override;

  std::shared_ptr<ServerState> state_;  // shared with the server and the other connections
  ServerLoop& loop_;
  Wire wire_;
  boost::asio::cancellation_signal cancel_;
  std::vector<char> received_;
  std::size_t begin_ = 0, end_ = 0, header_bytes_ = 0;
  Request request_;
  PathSegments segments_;
  std::optional<RequestParser> parser_;
  std::optional<Refusal> refusal_;
  const Route* route_ = nullptr;
  std::string allow_;
  std::string out_;  ///< header of the answer and small bodies
  Sweeper::Clock::time_point started_;  ///< the current request's header was complete
  Sweeper::Clock::time_point ended_;    ///< the last answer was complete, or the connection was accepted
  bool is_idle_ = false;       ///< waits for the first byte of a request
  bool timed_out_ = false;     ///< the deadline ended the last wait
  bool client_left_ = false;
  bool is_aborted_ = false;    ///< stop_hard() was called, or the client has left
};

}  // namespace volan::net

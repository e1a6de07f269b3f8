/// One request of the HTTP client and its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/client_pool.hpp"
#include "net/message_parser.hpp"

namespace volan::net {

/// Confined to one io loop. Call open() once, then either read_whole() or read() until it returns an empty view. Destruction before the end
/// closes the connection; at the end it goes back to the pool.
class ClientExchange final : public ClientStream {
 public:
  ClientExchange(std::shared_ptr<ClientPool> pool, ClientRequest request);
  ~ClientExchange() override;

  /// Connects or reuses, sends, and reads the header of the answer.
  core::Task<> open();
  /// Appends the whole body. Errors: also too_large.
  core::Task<> read_whole(std::string& body);

  unsigned status() const override { return parser_->status(); }
  const Headers& headers() const override { return headers_; }
  Headers take_headers() { return std::move(headers_); }
  core::Task<std::string_view> read() override;

 private:
  core::Result<> prepare();
  core::Task<> attempt();
  core::Task<> connect();
  core::Task<> send_request(Wire::Error& error);
  core::Task<> read_header();
  core::Task<> receive();
  core::Task<> read_some_body(std::string& into);
  void write_head(std::string& out) const;
  void finish();
  core::Error broken(std::string what) const;
  core::Error stopped() const;
  core::Error wait_failed(const char* what, const Wire::Error& error) const;
  bool is_cancelled(const boost::asio::cancellation_state& state) const { return state.cancelled() != boost::asio::cancellation_type::none; }

  std::shared_ptr<ClientPool> pool_;  // shared with the client and the other exchanges; outlives connection_
  ClientRequest request_;
  Url url_;                           // views into request_.url
  std::unique_ptr<ClientConnection> connection_;
  Headers headers_;
  std::string piece_;                 ///< what the last read() returned
  std::optional<core::Error> failure_;  ///< of an earlier read()
  std::optional<ResponseParser> parser_;
  Sweeper::Clock::time_point first_byte_until_, total_until_;
  std::chrono::milliseconds first_byte_timeout_, total_timeout_;
  bool is_half_sent_ = false;         ///< the server answered without reading the whole request
  bool has_answered_ = false;         ///< at least one byte of the answer has arrived
};

}  // namespace volan::net

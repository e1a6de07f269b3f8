/// Beast's HTTP/1 parser, told to fill our own structures directly.
#pragma once

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <string>

#include "net/http.hpp"

namespace volan::net {

using ParseError = boost::system::error_code;

/// What both directions share: fields go into `headers` (trailers are dropped), body bytes are appended to `body`.
/// Not thread-safe; `headers` and `*body` outlive it.
template <bool is_request>
class MessageParser : public boost::beast::http::basic_parser<is_request> {
 public:
  using View = boost::beast::string_view;
  using Field = boost::beast::http::field;

  MessageParser(Headers& headers, std::string* body) : headers_(headers), body_(body) {}
  /// Whether the parser may be given that many bytes. Beast asserts that at least five are there when it comes back to the last chunk
  /// ("0\r\n" and then "0\r\n\r" would end the process); and before a chunked body is complete at least five must follow anyway.
  bool takes(std::size_t bytes) const { return bytes >= 5 || (bytes > 0 && !(is_header_read_ && this->chunked())); }
  /// Where body bytes go from now on.
  void body_to(std::string* body) { body_ = body; }

 protected:
  static std::string_view std_view(View text) { return {text.data(), text.size()}; }
  Headers& headers_;
  bool is_header_read_ = false;

 private:
  void on_header_impl(ParseError&) override { is_header_read_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ParseError&) override {}
  std::size_t on_body_impl(View bytes, ParseError&) override {
    body_->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, ParseError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, ParseError&) override {
    body_->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(ParseError&) override {}

  std::string* body_;
};

/// Collects what the rules of RFC 9112 need besides the fields themselves: how many Host, Content-Length and Transfer-Encoding there were.
class RequestParser final : public MessageParser<true> {
 public:
  RequestParser(Request& request, std::size_t fields_max) : MessageParser(request.headers, &request.body), request_(request), fields_max_(fields_max) {}

  bool has_verb() const { return has_verb_; }
  bool is_http11() const { return version_ == 11; }
  bool has_target() const { return version_ != 0; }
  bool has_length() const { return has_length_; }
  bool has_coding() const { return has_coding_; }
  bool is_only_chunked() const { return is_only_chunked_; }
  bool has_too_many_fields() const { return headers_.size() > fields_max_; }
  unsigned hosts() const { return hosts_; }
  bool expects_continue() const { return expects_continue_; }
  bool expects_other() const { return expects_other_; }
  bool has_credentials() const { return has_credentials_; }

 private:
  void on_request_impl(boost::beast::http::verb known, View, View target, int version, ParseError&) override {
    using boost::beast::http::verb;
    has_verb_ = true;
    switch (known) {
      case verb::get: request_.verb = Verb::get; break;
      case verb::head: request_.verb = Verb::head; break;
      case verb::post: request_.verb = Verb::post; break;
      case verb::put: request_.verb = Verb::put; break;
      case verb::patch: request_.verb = Verb::patch; break;
      case verb::delete_: request_.verb = Verb::del; break;
      case verb::options: request_.verb = Verb::options; break;
      default: has_verb_ = false;
    }
    request_.target = std_view(target);
    version_ = version;
  }
  void on_response_impl(int, View, int, ParseError&) override {}
  void on_field_impl(Field field, View name, View value, ParseError& error) override {
    if (is_header_read_) return;
    switch (field) {
      case Field::host: ++hosts_; break;
      case Field::content_length: has_length_ = true; break;
      case Field::transfer_encoding:
        is_only_chunked_ = !has_coding_ && boost::beast::iequals(value, "chunked");
        has_coding_ = true;
        break;
      case Field::expect: (boost::beast::iequals(value, "100-continue") ? expects_continue_ : expects_other_) = true; break;
      case Field::authorization:
      case Field::cookie: has_credentials_ = true; break;
      case Field::unknown:
        if (boost::beast::iequals(name, "x-api-key") || boost::beast::iequals(name, "api-key")) has_credentials_ = true;
        break;
      default: break;
    }
    headers_.add(std_view(name), std_view(value));
    if (has_too_many_fields()) error = boost::beast::http::error::header_limit;
  }

  Request& request_;
  std::size_t fields_max_;
  int version_ = 0;
  unsigned hosts_ = 0;
  bool has_verb_ = false, has_length_ = false, has_coding_ = false, is_only_chunked_ = false;
  bool expects_continue_ = false, expects_other_ = false, has_credentials_ = false;
};

/// The answer of an upstream server.
class ResponseParser final : public MessageParser<false> {
 public:
  ResponseParser(Headers& headers, std::string* body) : MessageParser(headers, body) {}
  unsigned status() const { return status_; }
  /// A coding that this client does not undo; the body would be nonsense.
  bool has_unknown_coding() const { return has_unknown_coding_; }

 private:
  void on_request_impl(boost::beast::http::verb, View, View, int, ParseError&) override {}
  void on_response_impl(int status, View, int, ParseError&) override { status_ = static_cast<unsigned>(status); }
  void on_field_impl(Field field, View name, View value, ParseError&) override {
    if (is_header_read_) return;
    if (field == Field::transfer_encoding && !boost::beast::iequals(value, "chunked")) has_unknown_coding_ = true;
    headers_.add(std_view(name), std_view(value));
  }
  unsigned status_ = 0;
  bool has_unknown_coding_ = false;
};

}  // namespace volan::net

/// The answers of the mock provider.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "net/http.hpp"

namespace volan::mock {

/// What can be turned; README.md explains each.
struct Knobs {
  std::int64_t ttft_ms = 0;
  std::int64_t gap_ms = 0;
  std::int64_t frames = 16;
  std::int64_t frame_bytes = 6;
  std::int64_t status = 0;
  std::int64_t cut_after_frames = 0;
  std::int64_t slow_body = 0;
};

/// Thread-safe. Outlives the server that uses its routes.
class Mock {
 public:
  Mock(Knobs knobs, double error_rate, std::int64_t dimensions);
  std::vector<net::Route> routes();

 private:
  core::Task<net::Response> chat(net::Request& request);
  core::Task<net::Response> embeddings(net::Request& request);
  core::Task<net::Response> plain(Knobs knobs);
  core::Task<> stream(net::BodyWriter& writer, Knobs knobs, bool has_usage);
  core::Result<Knobs> knobs_of(const net::Request& request) const;
  bool is_failure();

  const Knobs knobs_;
  const double error_rate_;
  const std::int64_t dimensions_;
  const std::string plain_answer_;  ///< for the knobs as given
  std::atomic<std::uint64_t> calls_ = 0;
};

}  // namespace volan::mock

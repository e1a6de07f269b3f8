#include "runtime/doctor.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>

#include "core/result.hpp"
#include "runtime/gguf.hpp"
#include "runtime/llama_program.hpp"
#include "runtime/quote.hpp"

namespace volan::runtime {
namespace {

Finding failed(std::string what, const core::Error& error) {
  return {FindingLevel::error, std::move(what), error.path.empty() ? error.message : error.path + ": " + error.message, error.fix};
}

std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6); }

Finding check_program(const std::string& configured) {
  const auto program = find_llama_server(configured);
  if (!program) return failed("llama-server", program.error());
  const auto version = llama_server_version(*program);
  if (!version) return failed("llama-server", version.error());
  return {FindingLevel::ok, "llama-server", fmt::format("{} ({})", *program, *version), ""};
}

/// Bytes that a server of this model will need: its weights, and keys and values (16 bit) of each token of each slot.
/// Units: bytes. Source: sizes of the KV cache in llama.cpp, 2 (K and V) * 2 bytes * blocks * KV width * tokens.
std::uint64_t memory_needed(const GgufFile& file, const EndpointSpec& spec) {
  if (spec.kind != EndpointKind::chat) return file.file_bytes;
  const auto width = file.of_architecture("embedding_length").value_or(0), heads = file.of_architecture("attention.head_count").value_or(1);
  const auto kv_width = heads == 0 ? width : width / heads * file.of_architecture("attention.head_count_kv").value_or(heads);
  return file.file_bytes + 4 * file.of_architecture("block_count").value_or(0) * kv_width * spec.context_tokens * spec.parallel;
}

/// MemAvailable of /proc/meminfo in bytes.
std::optional<std::uint64_t> memory_available() {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string key, unit; meminfo >> key;) {
    std::uint64_t kilobytes = 0;
    if (!(meminfo >> kilobytes)) return std::nullopt;
    if (key == "MemAvailable:") return kilobytes * 1'024;
    std::getline(meminfo, unit);
  }
  return std::nullopt;
}

Finding check_endpoint(const EndpointSpec& spec, std::uint64_t& needed) {
  const std::string what = "endpoint " + spec.name;
  if (!spec.file) return {FindingLevel::ok, what, "remote: " + spec.url.value_or("no URL"), ""};
  const auto file = check_gguf(*spec.file, spec.kind);
  if (!file) return failed(what, file.error());
  const auto hash = verify_hash(*spec.file, spec.sha256.value_or(""));
  if (!hash) return failed(what, hash.error());
  needed += memory_needed(*file, spec);
  const auto trained = file->of_architecture("context_length").value_or(0);
  const std::string text = fmt::format("{}: {} model of {}, {} tensors, sha256 {}", *spec.file, in_quotes(file->architecture()),
                                       megabytes(file->file_bytes), file->tensors.size(), *hash);
  if (spec.kind == EndpointKind::chat && spec.context_tokens > trained)
    return {FindingLevel::warning, what,
            fmt::format("{}; {} tokens of context are configured but it was made for {}", text, spec.context_tokens, trained),
            fmt::format("set context_tokens: {}", trained)};
  return {FindingLevel::ok, what, text, ""};
}

Finding check_memory(std::uint64_t needed) {
  const auto available = memory_available();
  if (!available) return {FindingLevel::warning, "memory", "/proc/meminfo cannot be read", ""};
  const std::string text = fmt::format("the model servers need about {}; {} are available", megabytes(needed), megabytes(*available));
  if (needed <= *available) return {FindingLevel::ok, "memory", text, ""};
  return {FindingLevel::error, "memory", text, "use smaller models, or lower context_tokens and parallel"};
}

Finding check_port() {
  const auto port = free_loopback_port();
  if (!port) return failed("loopback ports", port.error());
  return {FindingLevel::ok, "loopback ports", fmt::format("free ones are there, for example {}", *port), ""};
}

}  // namespace

std::vector<Finding> doctor(const std::vector<EndpointSpec>& endpoints, const std::string& llama_server) {
  std::vector<Finding> findings{check_program(llama_server)};
  std::uint64_t needed = 0;
  for (const auto& spec : endpoints) findings.push_back(check_endpoint(spec, needed));
  findings.push_back(check_memory(needed));
  findings.push_back(check_port());
  return findings;
}

}  // namespace volan::runtime

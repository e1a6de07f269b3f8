// What a chat request and a page of text cost to decode and encode.
#include <benchmark/benchmark.h>

#include "core/json.hpp"

namespace volan::core {

struct BenchMessage {
  std::string role, content;
};
constexpr auto describe(const BenchMessage*) {
  return object("BenchMessage", field("role", &BenchMessage::role), field("content", &BenchMessage::content));
}
struct BenchChat {
  std::string model;
  std::vector<BenchMessage> messages;
  std::optional<double> temperature;
  std::optional<bool> stream;
};
constexpr auto describe(const BenchChat*) {
  return object("BenchChat", field("model", &BenchChat::model), field("messages", &BenchChat::messages),
                field("temperature", &BenchChat::temperature), field("stream", &BenchChat::stream));
}

/// `state.range(0)`: bytes of the one long message.
static BenchChat chat_of(std::size_t bytes) {
  BenchChat chat{.model = "twin", .messages = {{"system", "Answer with sources."}, {"user", ""}}, .temperature = 0.2, .stream = true};
  while (chat.messages[1].content.size() < bytes) chat.messages[1].content += "What does a \"const\" member function promise?\n";
  return chat;
}

static void decode_chat(benchmark::State& state) {
  const std::string text = encode_json(chat_of(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(decode_json<BenchChat>(text, {.unknown = UnknownFields::ignore}));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(decode_chat)->Arg(200)->Arg(4'000)->Arg(100'000);

static void encode_chat(benchmark::State& state) {
  const BenchChat chat = chat_of(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    std::string text = encode_json(chat);
    bytes = text.size();
    benchmark::DoNotOptimize(text);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}
BENCHMARK(encode_chat)->Arg(200)->Arg(4'000)->Arg(100'000);

}  // namespace volan::core

BENCHMARK_MAIN();

#include "gateway/dialect_openai.hpp"

#include <gtest/gtest.h>

#include "gateway/provider_openai.hpp"

namespace volan::gateway {
namespace {

core::Error error_of(std::string_view body) {
  const auto parsed = parse_openai_chat(body);
  EXPECT_FALSE(parsed.has_value()) << body;
  return parsed ? core::Error{} : parsed.error();
}

TEST(OpenAiChat, ReadsKnownFieldsAndKeepsTheOthersForTheProvider) {
  const auto chat = parse_openai_chat(
      R"({"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.5,"max_completion_tokens":7,"stop":"x","seed":3,)"
      R"("stream":true,"stream_options":{"include_usage":true},"response_format":{"type":"json_object"},"metadata":{"session_id":"s"},"user":"u"})");
  ASSERT_TRUE(chat.has_value()) << core::to_text(chat.error());
  EXPECT_EQ(chat->request.model, "m");
  EXPECT_EQ(chat->request.messages.at(0).content, "hi");
  EXPECT_TRUE(chat->request.messages.at(0).raw.text.empty());
  EXPECT_EQ(chat->request.temperature, 0.5);
  EXPECT_EQ(chat->request.tokens_max, 7);
  EXPECT_EQ(chat->request.stop, std::vector<std::string>{"x"});
  EXPECT_TRUE(chat->is_stream && chat->include_usage);
  EXPECT_EQ(chat->session_id, "s");
  EXPECT_EQ(chat->user_id, "u");
  EXPECT_EQ(chat->request.extra.text, R"({"response_format":{"type":"json_object"}})");
}

TEST(OpenAiChat, KeepsContentPartsAndToolCallsAsSent) {
  const auto chat = parse_openai_chat(
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}]})");
  ASSERT_TRUE(chat.has_value()) << core::to_text(chat.error());
  EXPECT_EQ(chat->request.messages.at(0).content, "a\nb");
  EXPECT_EQ(chat->request.messages.at(1).raw.text, R"({"role":"assistant","content":null,"tool_calls":[{"id":"1"}]})");
}

TEST(OpenAiChat, NamesThePathOfWhatIsWrong) {
  EXPECT_EQ(error_of(R"({"messages":[]})").path, "model");
  EXPECT_EQ(error_of(R"({"model":"m"})").path, "messages");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[]})").path, "messages");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"user","content":3}]})").path, "messages[1].content");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[{"role":"king","content":"x"}]})").path, "messages[0].role");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[{"content":"x"}]})").path, "messages[0].role");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[{"role":"user","content":"x"}],"temperature":3})").path, "temperature");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[{"role":"user","content":"x"}],"n":2})").path, "n");
  EXPECT_EQ(error_of(R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0})").path, "max_tokens");
}

TEST(OpenAiChat, RefusesWhatIsNotAJsonObject) {
  for (const std::string_view body : {"", "[]", "{", "nul", "{\"model\":\"\xff\"}"}) EXPECT_EQ(error_of(body).code, core::ErrorCode::invalid_argument);
}

TEST(OpenAiProvider, SendsBackWhatTheClientSent) {
  const auto chat = parse_openai_chat(R"({"model":"m","messages":[{"role":"user","content":"a\"b"}],"top_p":0.5,"tools":[]})");
  ASSERT_TRUE(chat.has_value());
  EXPECT_EQ(provider_openai::chat_body(chat->request, "up", true),
            R"({"model":"up","messages":[{"role":"user","content":"a\"b"}],"top_p":0.5,"tools":[],"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(OpenAiProvider, ReadsChunksUsageAndErrors) {
  const auto chunk = provider_openai::parse_chunk(R"({"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]})");
  ASSERT_TRUE(chunk.has_value());
  EXPECT_EQ(chunk->text, "Hi");
  EXPECT_TRUE(chunk->finish_reason.empty());
  const auto last = provider_openai::parse_chunk(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})");
  ASSERT_TRUE(last.has_value() && last->usage.has_value());
  EXPECT_EQ(last->usage->completion_tokens, 4);
  const auto broken = provider_openai::parse_chunk(R"({"error":{"message":"out of memory"}})");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code, core::ErrorCode::upstream);
  EXPECT_FALSE(provider_openai::parse_chunk("{").has_value());
  EXPECT_FALSE(provider_openai::parse_answer(R"({"choices":[]})").has_value());
}

}  // namespace
}  // namespace volan::gateway

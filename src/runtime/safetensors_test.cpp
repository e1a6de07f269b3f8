// Goal: the index of a safetensors file is read or refused with the tensor's name, and each float type gives the right numbers.
#include "runtime/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace volan::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string file_of(const std::string& index, const std::string& data) {
  const std::uint64_t length = index.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + index + data;
}

std::string refusal(const std::string& bytes) {
  const auto source = memory_byte_source(bytes, "w.safetensors");
  const auto index = read_safetensors(*source);
  return index ? "accepted" : core::to_text(index.error());
}

std::string values_of(const std::string& type, const std::string& data, std::vector<float>& out) {
  const std::string bytes = file_of(R"({"__metadata__":{"format":"pt"},"t":{"dtype":")" + type + R"(","shape":[2],"data_offsets":[0,)" +
                                        std::to_string(data.size()) + "]}}",
                                    data);
  const auto source = memory_byte_source(bytes);
  const auto index = read_safetensors(*source);
  if (!index) return index.error().message;
  const auto values = read_values(*source, "t", index->at("t"));
  if (!values) return values.error().message;
  out = *values;
  return "";
}

TEST(Safetensors, ReadsEachFloatTypeAsFloat32) {
  std::vector<float> values;
  ASSERT_EQ(values_of("F32", std::string("\x00\x00\x80\x3f\x00\x00\x20\xc0", 8), values), "");
  EXPECT_THAT(values, ElementsAre(1.0f, -2.5f));
  ASSERT_EQ(values_of("F16", std::string("\x00\x3c\x00\xc1", 4), values), "");
  EXPECT_THAT(values, ElementsAre(1.0f, -2.5f));
  ASSERT_EQ(values_of("BF16", std::string("\x80\x3f\x20\xc0", 4), values), "");
  EXPECT_THAT(values, ElementsAre(1.0f, -2.5f));
  EXPECT_THAT(values_of("I32", std::string(8, '\0'), values), HasSubstr("not of floating-point numbers"));
}

TEST(Safetensors, RefusesDamageAndNamesIt) {
  EXPECT_THAT(refusal("short"), HasSubstr("the file ends at byte 5"));
  EXPECT_THAT(refusal(std::string(8, '\xff') + "{}"), HasSubstr("the index is said to have 18446744073709551615 bytes"));
  EXPECT_THAT(refusal(file_of("{", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(file_of("[]", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(file_of(R"({"t":1})", "")), HasSubstr("tensor \"t\" has no \"dtype\""));
  EXPECT_THAT(refusal(file_of(R"({"t":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", "abcd")), HasSubstr("unknown type \"F33\""));
  EXPECT_THAT(refusal(file_of(R"({"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "abcd")), HasSubstr("needs \"shape\""));
  EXPECT_THAT(refusal(file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "abcd")),
              HasSubstr("not enough bytes for tensor \"t\""));
  EXPECT_THAT(refusal(file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[4,0]}})", "abcd")), HasSubstr("not enough bytes"));
  EXPECT_THAT(refusal(file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "abcd")), HasSubstr("does not fit its shape"));
  EXPECT_THAT(refusal(file_of(R"({"t":{"dtype":"F32","shape":[4294967296,4294967297],"data_offsets":[0,4]}})", "abcd")),
              HasSubstr("does not fit its shape"));
  EXPECT_THAT(
      refusal(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                      "abcdef")),
      HasSubstr("two tensors share byte"));
}

}  // namespace
}  // namespace volan::runtime

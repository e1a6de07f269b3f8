// Goal: volan_embed() keeps every byte and names files by their paths. Method: compare with the files on disk.
#include "core/embedded_file.hpp"

#include <gtest/gtest.h>

#include "core/file.hpp"

namespace volan::core {

std::span<const EmbeddedFile> embedded_samples();

namespace {

TEST(EmbeddedFile, KeepsNamesOrderAndBytes) {
  const auto files = embedded_samples();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "embedded/empty.txt");
  EXPECT_EQ(files[0].bytes, "");
  EXPECT_EQ(files[1].name, "embedded/odd.bin");
  EXPECT_EQ(files[1].bytes.size(), 267u);
  EXPECT_EQ(files[1].bytes, read_file(VOLAN_TESTDATA "/embedded/odd.bin").value());
}

}  // namespace
}  // namespace volan::core

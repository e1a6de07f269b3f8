#include "rag/context.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace volan::rag {
namespace {

Source source(std::int64_t number, std::string title, std::string heading, std::string text) {
  Source made;
  made.number = number;
  made.title = std::move(title);
  made.heading = std::move(heading);
  made.text = std::move(text);
  return made;
}

TEST(NumberedContext, ShowsNumberTitleHeadingAndText) {
  const auto text = numbered_context({source(1, "Book", "Classes", "one"), source(2, "Book", "Book", "two")}, {});
  EXPECT_EQ(text, "[1] Book › Classes\none\n\n[2] Book\ntwo");
}

TEST(NumberedContext, CutsATextBetweenCodePoints) {
  RetrievalSettings settings;
  settings.source_characters_max = 3;
  EXPECT_EQ(numbered_context({source(1, "T", "", "aéé")}, settings), "[1] T\naé");
  settings.source_characters_max = 4;
  EXPECT_EQ(numbered_context({source(1, "T", "", "aéé")}, settings), "[1] T\naé");
}

TEST(NumberedContext, NeverExceedsTheLimitOfTheWhole) {
  const std::vector<Source> sources{source(1, "Tä", "Hö", "äöüäöü"), source(2, "Tä", "Hö", "äöüäöü")};
  for (std::int64_t limit = 1; limit < 80; ++limit) {
    RetrievalSettings settings;
    settings.context_characters_max = limit;
    const auto text = numbered_context(sources, settings);
    EXPECT_LE(std::ssize(text), limit);
    EXPECT_TRUE(core::is_valid_utf8(text));
  }
}

TEST(NumberedContext, IsEmptyWithoutSources) { EXPECT_EQ(numbered_context({}, {}), ""); }

}  // namespace
}  // namespace volan::rag

#include "feature/clean.hpp"

#include <gtest/gtest.h>

#include <random>

namespace volan::feature {
namespace {

using collect::Block;
using collect::BlockKind;
using collect::Section;

std::string clean_one(BlockKind kind, std::string text, Cleaning rule = Cleaning::keep) {
  const CleanedText cleaned = clean({Section{{"H"}, 1, "h", {{kind, std::move(text)}}}}, rule);
  return cleaned.sections.empty() ? std::string() : cleaned.sections[0].blocks.at(0).text;
}

TEST(Clean, KeepsCodeByteForByte) {
  const std::string code = "\n  int\t*p = &x;   // a  b \n\n\n}\n";
  EXPECT_EQ(clean_one(BlockKind::code, code), code);
}

TEST(Clean, CollapsesBlanksOfEveryKindOutsideOfCode) {
  EXPECT_EQ(clean_one(BlockKind::paragraph, "  a \t b\u00A0\u2003c \x01 d \n\n\n e  "), "a b c d\ne");
}

TEST(Clean, KeepsTheIndentationOfListItems) { EXPECT_EQ(clean_one(BlockKind::list, "- a  b \n  - c"), "- a b\n  - c"); }

TEST(Clean, KeepsPunctuationAndLettersOfEveryLanguage) {
  const std::string text = "a->*b; x<<=2 “quoted” — Straße, 日本語, עברית, हिन्दी, \u200Dzero-width, 🙂!";
  EXPECT_EQ(clean_one(BlockKind::paragraph, text), text);
}

TEST(Clean, TheReferenceRuleKeepsOnlyWordsAndFourSigns) {
  EXPECT_EQ(clean_one(BlockKind::paragraph, "std::move(x_1) -> \"Stra\u00DFe\", \u65E5\u672C! ok?", Cleaning::reference),
            "std move x_1 Stra\u00DFe , \u65E5\u672C! ok?");
  EXPECT_EQ(clean_one(BlockKind::code, "a << b;\n  c", Cleaning::reference), "a b c");
}

TEST(Clean, LeavesEmptySectionsOutAndCountsCharacters) {
  const CleanedText cleaned =
      clean({Section{{"A"}, 1, "", {{BlockKind::paragraph, " \n "}}}, Section{{"B"}, 1, "", {{BlockKind::paragraph, "\u00E9  x"}}}},
            Cleaning::keep);
  ASSERT_EQ(cleaned.sections.size(), 1u);
  EXPECT_EQ(cleaned.sections[0].heading_path, std::vector<std::string>{"B"});
  EXPECT_EQ(cleaned.characters_in, 3 + 4);
  EXPECT_EQ(cleaned.characters_out, 3);
}

// Goal: no character but a blank is ever lost, added or moved. Method: random text of many scripts, compared without blanks.
TEST(Clean, LosesNothingButBlanks) {
  std::mt19937 random(20261123);
  const std::vector<std::string> pieces = {"a", "Z",  "é",  "日", " ",  "  ",     "\t", "\n",   "\n\n", "\u00A0",
                                           "<", "&&", "::", ".",  "🙂", "\u0301", "-",  "\x7F", "\xC3"};
  const auto without_blanks = [](const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 2, "\u00A0") == 0)
        ++i;
      else if (text[i] != ' ' && text[i] != '\n' && text[i] != '\t' && text[i] != '\x7F')
        out += text[i];
    }
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = random() % 60; i > 0; --i) text += pieces[random() % pieces.size()];
    for (const bool keeps : {false, true}) {
      const std::string out = collapse_blanks(text, keeps);
      ASSERT_EQ(without_blanks(out), without_blanks(text));
      ASSERT_EQ(collapse_blanks(out, keeps), out) << "cleaning twice changes nothing";
      ASSERT_EQ(out.find("\n\n"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace volan::feature

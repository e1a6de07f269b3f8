#include "feature/lexical_query.hpp"

#include <gtest/gtest.h>

namespace volan::feature {
namespace {

TEST(LexicalQuery, QuotesEveryWordAndJoinsThemByOr) { EXPECT_EQ(lexical_query("std::move  semantics"), "\"std::move\" OR \"semantics\""); }
TEST(LexicalQuery, TakesPunctuationFromTheEnds) { EXPECT_EQ(lexical_query("(namespaces), 'using'?"), "\"namespaces\" OR \"using\""); }
TEST(LexicalQuery, LeavesCommonWordsOutWhileOthersRemain) {
  EXPECT_EQ(lexical_query("What is a namespace?"), "\"namespace\"");
  EXPECT_EQ(lexical_query("what is it"), "\"what\" OR \"is\" OR \"it\"");
}
TEST(LexicalQuery, NamesEachWordOnce) { EXPECT_EQ(lexical_query("Cast cast CAST"), "\"cast\""); }
TEST(LexicalQuery, DoublesQuotationMarks) { EXPECT_EQ(lexical_query("a\"b NEAR(x"), "\"a\"\"b\" OR \"near(x\""); }
TEST(LexicalQuery, IsEmptyWithoutLetters) {
  for (const char* text : {"", " ", "<< >> ??", "\"", "* OR -", "\n\t"})
    EXPECT_EQ(lexical_query(text), text == std::string("* OR -") ? "\"or\"" : "") << text;
}
TEST(LexicalQuery, KeepsLettersOfEveryLanguage) { EXPECT_EQ(lexical_query("Überladung 日本"), "\"Überladung\" OR \"日本\""); }
TEST(LexicalQuery, CountsAtMost64Words) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "w" + std::to_string(i) + " ";
  const std::string query = lexical_query(text);
  EXPECT_NE(query.find("\"w63\""), std::string::npos);
  EXPECT_EQ(query.find("\"w64\""), std::string::npos);
}

}  // namespace
}  // namespace volan::feature

"""Goal: each rule finds what it should and leaves the rest alone. Method: small trees made of text."""

import unittest

from rules import Source, Tree, edges_of, run_all, table_of_modules, without_strings

GOOD = {
    "src/area/README.md": "# area",
    "src/area/CMakeLists.txt": "volan_module(area EXPOSES core USES storage HEADERS types.hpp)",
    "src/area/types.hpp": "/// Types.\n#pragma once\n",
}


def findings(files: dict[str, str]) -> list[str]:
    return [str(f) for f in run_all(Tree([Source(p, t) for p, t in {**GOOD, **files}.items()]))]


class Rules(unittest.TestCase):
    def expect(self, path: str, text: str, finding: str | None, line: int = 1) -> None:
        found = findings({path: text})
        if finding is None:
            self.assertEqual(found, [])
        else:
            self.assertEqual(len(found), 1, found)
            self.assertIn(f"{path}:{line}: ", found[0])
            self.assertIn(finding, found[0])

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(findings({}), [])

    def test_includes_start_at_the_module(self):
        self.expect("src/area/a.cpp", '#include "../core/ids.hpp"\n', "relative includes")
        self.expect("src/area/a.cpp", '#include "types.hpp"\n', 'write "area/types.hpp"')
        self.expect("src/area/a.cpp", '#include "area/types.hpp"\n#include <vector>\n', None)

    def test_files_keep_to_their_roles(self):
        self.expect("src/area/routes.cpp", '#include "storage/database.hpp"\n', "own the storage")
        self.expect("src/area/store.cpp", '#include "net/http.hpp"\n', "knows no HTTP")
        self.expect("src/area/run_state.cpp", "#include <thread>\n", "pure")
        self.expect("src/area/provider_x.cpp", '#include "storage/journal.hpp"\n', "stores nothing")
        self.expect("src/area/catalog.cpp", '#include "storage/database.hpp"\n', None)

    def test_json_stays_at_the_edges(self):
        self.expect("src/area/catalog.cpp", '#include "core/json.hpp"\n', "at the edges")
        self.expect("src/area/catalog.cpp", '#include "core/json.hpp"  // tidy: reads its own file format\n', None)
        self.expect("src/area/dialect_openai.cpp", '#include "core/json.hpp"\n', None)
        self.expect("src/area/catalog_test.cpp", '#include "core/json.hpp"\n', None)

    def test_sql_stays_in_stores(self):
        text = 'auto rows = db.query("SELECT id FROM keys");\n'
        self.expect("src/area/catalog.cpp", text, "SQL belongs")
        self.expect("src/area/store.cpp", text, None)
        self.expect("src/area/catalog.cpp", 'log("select a source from the list");\n', None)

    def test_banned_calls_are_found_with_their_reason(self):
        for code, word in [("std::this_thread::sleep_for(x);", "wait for the event"), ("int i = std::stoi(s);", "from_chars"),
                           ("throw 1;", "throws nothing"), ("thread.detach();", "owner"), ("assert(x);", "VOLAN_CHECK"),
                           ("using namespace std;", "names say"), ("// TODO later", "FIXME(#issue)"), ("std::cout << x;", "standard output"),
                           ("std::regex r;", "overflows")]:
            self.expect("src/area/a.cpp", code + "\n", word)

    def test_bans_leave_strings_comments_tests_and_reasons_alone(self):
        for code in ['x = "throw it; std::stoi(s)";', "// never std::stoi(x) here", "static_assert(x);", "// FIXME(#12): y",
                     "std::stoi(s);  // tidy: checked above", "core.assert(x);"]:
            self.expect("src/area/a.cpp", code + "\n", None)
        self.expect("src/area/a_test.cpp", "int i = std::stoi(s);\n", None)
        self.expect("src/area/a_test.cpp", "sleep_for(x);\n", "wait for the event")

    def test_strings_are_blanked(self):
        self.assertEqual(without_strings(r'f("a\"b", c, "d")'), 'f("", c, "")')

    def test_headers_say_what_they_offer(self):
        self.expect("src/area/a.hpp", "#pragma once\n", "begins with a ///")
        self.expect("src/area/a.hpp", "/// A.\n", "#pragma once is missing")

    def test_long_files_and_empty_names_are_found(self):
        self.assertIn("401 lines", findings({"src/area/a.cpp": "\n" * 401})[0])
        self.assertEqual(findings({"src/area/a_test.cpp": "\n" * 401}), [])
        self.assertIn("says nothing", findings({"src/area/string_utils.cpp": ""})[0])

    def test_each_module_has_a_readme_and_a_cmake_call(self):
        found = findings({"src/new/a.cpp": ""})
        self.assertTrue(any("src/new/README.md" in f for f in found) and any("src/new/CMakeLists.txt" in f for f in found), found)


ARCHITECTURE = """
| module | owns | may use | wraps |
|---|---|---|---|
| **foundations** | | | |
| area | things | llm | OpenSSL |
| other | things | — | |

| module | also |
|---|---|
| area | nothing |
"""


class Modules(unittest.TestCase):
    def test_the_table_is_read(self):
        rows = table_of_modules(ARCHITECTURE)
        self.assertEqual(set(rows), {"area", "other"})
        self.assertEqual(rows["other"].may_use, set())
        self.assertEqual(rows["area"].may_use, {"llm"})
        self.assertEqual(rows["area"].wraps, {"OpenSSL"})

    def test_the_cmake_call_is_read(self):
        self.assertEqual(edges_of("# volan_module(x)\nvolan_module(a\n  EXPOSES core net  # why\n  USES llm\n  LIBS b::b)"), ("a", {"core", "net", "llm"}))
        self.assertIsNone(edges_of("add_library(x)"))

    def test_edges_must_be_in_the_table(self):
        found = findings({"ARCHITECTURE.md": ARCHITECTURE})
        self.assertEqual(len(found), 1, found)
        self.assertIn("area may not use storage", found[0])

    def test_libraries_stay_in_the_module_that_wraps_them(self):
        table = ARCHITECTURE.replace("| llm |", "| llm, storage |")
        self.assertEqual(findings({"ARCHITECTURE.md": table, "src/area/a.cpp": "#include <openssl/evp.h>\n"}), [])
        found = findings({"ARCHITECTURE.md": table, "src/area/a.cpp": "#include <faiss/Index.h>\n"})
        self.assertIn("belongs to faiss, which no module wraps", found[0])

    def test_a_module_without_a_row_is_found(self):
        self.assertIn("no row for area", findings({"ARCHITECTURE.md": ARCHITECTURE.replace("| area | things", "| gone | things")})[0])
        self.assertIn("no table", findings({"ARCHITECTURE.md": "# x"})[0])


if __name__ == "__main__":
    unittest.main()

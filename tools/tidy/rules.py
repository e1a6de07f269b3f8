"""The rules of STYLE.md and ARCHITECTURE.md that neither the compiler nor CMake can check.

Each check takes a Tree and yields Findings. A line that has to break a ban says why at its end: `// tidy: <reason>`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

LINES_MAX = 400
FOUNDATIONS = {"core", "net", "storage", "llm"}  # they follow the file names, not the roles

# Header (or its first folder) to the library it belongs to. A library is included by one module; ARCHITECTURE.md says by which.
LIBRARY_OF = {
    "spdlog": "spdlog", "simdjson.h": "simdjson", "yaml-cpp": "yaml-cpp", "prometheus": "prometheus-cpp", "date": "date",
    "boost/json": "Boost.JSON", "boost/beast": "Beast", "boost/asio": "Asio", "curl": "libcurl", "openssl": "OpenSSL", "soci": "SOCI",
    "duckdb.h": "DuckDB", "sqlite3.h": "SQLite", "libpq-fe.h": "libpq", "zstd.h": "zstd", "sodium.h": "libsodium", "gumbo.h": "gumbo",
    "faiss": "faiss", "utf8proc.h": "utf8proc", "gguf.h": "ggml", "ggml.h": "ggml", "CLI": "CLI11", "google/protobuf": "protobuf",
}
# Used by every module, or by more than one for a stated reason.
FREE = {
    "Asio": "executors and coroutines are everywhere; sockets are held back by the file roles",
    "Boost.JSON": "values of JSON Schema and of dialects; the file roles say where",
}


@dataclass(frozen=True)
class Finding:
    path: str
    line: int  # 0 = the whole file
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


@dataclass
class Source:
    path: str  # from the root of the repository
    text: str
    module: str = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        parts = Path(self.path).parts
        self.module = parts[1] if len(parts) > 2 and parts[0] == "src" else ""
        self.name = parts[-1]

    @property
    def stem(self) -> str:
        return self.name.rsplit(".", 1)[0]

    @property
    def is_cpp(self) -> bool:
        return self.name.endswith((".cpp", ".hpp"))

    @property
    def is_test(self) -> bool:
        return bool(re.search(r"(_test|_fuzz|_bench)\.cpp$|test(ing|data)|_fixture", self.path)) or self.path.startswith("tests/")

    def includes(self) -> Iterator[tuple[int, str, bool]]:
        """Line, name, and whether it is written in quotes."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
                if "// tidy:" not in line:
                    yield number, match[2], match[1] == '"'


@dataclass
class Tree:
    sources: list[Source]

    def find(self, path: str) -> Source | None:
        return next((s for s in self.sources if s.path == path), None)

    def cpp(self) -> Iterator[Source]:
        return (s for s in self.sources if s.is_cpp and s.module)

    def modules(self) -> list[str]:
        return sorted({s.module for s in self.cpp()})


def library_of(include: str) -> str | None:
    for prefix, library in LIBRARY_OF.items():
        if include == prefix or include.startswith(prefix + "/") or (prefix.startswith("boost/") and include == prefix + ".hpp"):
            return library
    return None


# --- includes -------------------------------------------------------------------------------------------------------------------

def check_includes(tree: Tree) -> Iterator[Finding]:
    for source in tree.cpp():
        for line, name, is_quoted in source.includes():
            if is_quoted and name.startswith("."):
                yield Finding(source.path, line, f'write "{source.module}/{name.rsplit("/", 1)[-1]}": relative includes get around the module views')
            elif is_quoted and "/" not in name:
                yield Finding(source.path, line, f'write "{source.module}/{name}": includes start at the module')


# --- roles of files ---------------------------------------------------------------------------------------------------------------

JSON = ("core/json.hpp", "core/json_text.hpp", "boost/json")
SQL = re.compile(r'"[^"]*\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|UPDATE\s+\w+\s+SET)\b')

# (pattern of the file's stem, what it must not include, why)
ROLES = [
    (r"routes|dialect_.*", ("storage/database.hpp", "storage/journal.hpp", "storage/column_store.hpp", "storage/blob_store.hpp"),
     "routes and dialects call the rules, which own the storage"),
    (r"provider_.*|.*_client", ("storage/",), "a client of an outside service stores nothing"),
    (r"store", ("net/",), "a store knows no HTTP"),
    (r"steps", ("net/http_server.hpp", "net/http.hpp"), "a step is not tied to HTTP"),
    (r".*_(state|plan)", ("boost/asio", "core/pools.hpp", "core/file.hpp", "core/process.hpp", "net/", "storage/", "thread"),
     "a state machine is pure: no clock, I/O or threads"),
]
JSON_FILES = r"routes|dialect_.*|provider_.*|.*_client|.*store|.*_entry|.*config.*|.*format|.*manifest|main|.*wiring|.*command.*|.*report.*|steps|views|types"
SQL_FILES = r"store|.*_store|.*quer(y|ies).*|.*migrations|sqlite"


def check_roles(tree: Tree) -> Iterator[Finding]:
    for source in tree.cpp():
        if source.is_test or source.module in FOUNDATIONS or source.module == "app":
            continue
        for pattern, banned, why in ROLES:
            if not re.fullmatch(pattern, source.stem):
                continue
            for line, name, _ in source.includes():
                if any(name == b or (b.endswith("/") and name.startswith(b)) or name.startswith(b + "/") for b in banned):
                    yield Finding(source.path, line, f"{source.name} may not include {name}: {why}")
        if not re.fullmatch(SQL_FILES, source.stem):
            for number, line in enumerate(source.text.splitlines(), 1):
                if SQL.search(line) and "// tidy:" not in line:
                    yield Finding(source.path, number, "SQL belongs into store.cpp, a *_query.cpp or migrations/")


def check_json_edges(tree: Tree) -> Iterator[Finding]:
    for source in tree.cpp():
        if source.is_test or source.module in FOUNDATIONS or source.module == "app" or re.fullmatch(JSON_FILES, source.stem):
            continue
        for line, name, _ in source.includes():
            if any(name == j or name.startswith(j + "/") for j in JSON):
                yield Finding(source.path, line, f"{source.name} may not include {name}: JSON is read and written at the edges; end the line "
                                                 "with `// tidy: <reason>` if the file is one")


# --- bans -------------------------------------------------------------------------------------------------------------------------

# (pattern, where it is allowed, whether tests are held to it, reason)
BANS = [
    (r"\bstd::(cout|cin)\b", r"src/app/", False, "standard output belongs to results; log instead"),
    (r"\bstd::endl\b", "", True, "it flushes; write '\\n'"),
    (r"\bsleep_(for|until)\b|\busleep\(", "", True, "wait for the event with a condition variable, timer or pidfd"),
    (r"\bstd::regex\b", "", True, "it recurses per character and overflows the stack on long input"),
    (r"\b(std::)?(stoi|stol|stoll|stoul|stoull|stod|stof)\(", "", False, "it throws and accepts trailing bytes; use std::from_chars"),
    (r"\b(atoi|atol|atof|strtok|sprintf|strcpy|strcat|gets|gmtime|localtime|rand|srand|popen)\(", "", False, "unsafe or not thread-safe"),
    (r"\bstd::system\(|(?<![\w:.>])system\(", "", False, "start processes with core/process.hpp"),
    (r"\.detach\(\)|\basio::detached\b", r"src/core/spawner\.cpp", False, "background work has an owner that stops it"),
    (r"^using namespace\b", "", False, "names say where they come from"),
    (r"^\s*throw\b", "", False, "volan throws nothing; return a Result"),
    (r"(?<![\w:.])assert\(", "", False, "use VOLAN_CHECK, which release builds keep"),
    (r"\bFIXME(?!\(#\d+\))|\bTODO\b|\bXXX\b", "", True, "finish it, or write FIXME(#issue)"),
    (r"\bgetenv\(", r"src/(core|app)/", False, "the environment is read by core (configuration) and app"),
]


def without_strings(line: str) -> str:
    return re.sub(r'"(\\.|[^"\\])*"', '""', line)


def check_bans(tree: Tree) -> Iterator[Finding]:
    for source in tree.cpp():
        for number, line in enumerate(source.text.splitlines(), 1):
            if "// tidy:" in line:
                continue
            code = without_strings(line)
            comment = code.find("//")
            for pattern, allowed, also_tests, reason in BANS:
                if (source.is_test and not also_tests) or (allowed and re.match(allowed, source.path)):
                    continue
                match = re.search(pattern, code)
                in_comment = match and 0 <= comment <= match.start() and "FIXME" not in pattern
                if match and not in_comment:
                    yield Finding(source.path, number, f"{match[0].strip()}: {reason}")


# --- files ------------------------------------------------------------------------------------------------------------------------

def check_files(tree: Tree) -> Iterator[Finding]:
    for module in tree.modules():
        if not tree.find(f"src/{module}/README.md"):
            yield Finding(f"src/{module}/README.md", 0, "missing: purpose, data, invariants, where to start reading")
        if not tree.find(f"src/{module}/CMakeLists.txt"):
            yield Finding(f"src/{module}/CMakeLists.txt", 0, "missing: one volan_module() call")
    for source in tree.cpp():
        lines = source.text.splitlines()
        if not source.is_test and len(lines) > LINES_MAX:
            yield Finding(source.path, 0, f"{len(lines)} lines: past {LINES_MAX} there is a second subject; give it a file")
        if source.name.endswith(".hpp"):
            if not lines or not lines[0].startswith("/// "):
                yield Finding(source.path, 1, "a header begins with a /// sentence on what it offers")
            if "#pragma once" not in lines[:6]:
                yield Finding(source.path, 1, "#pragma once is missing")
        if re.search(r"(utils?|helpers?|common|manager|misc|impl)(_test)?$", source.stem) and source.path != "src/core/json_impl.hpp":
            yield Finding(source.path, 0, "the name says nothing; if no better one comes to mind, the file has two subjects")


# --- modules ----------------------------------------------------------------------------------------------------------------------

@dataclass
class ModuleRow:
    """A row of the table in ARCHITECTURE.md whose header has the cells `module`, `may use` and `wraps`."""
    may_use: set[str]
    wraps: set[str]


def table_of_modules(architecture: str) -> dict[str, ModuleRow]:
    rows: dict[str, ModuleRow] = {}
    header: list[str] = []
    for line in architecture.splitlines():
        if not line.lstrip().startswith("|"):
            header = []
            continue
        cells = [c.strip().strip("*").strip() for c in line.strip().strip("|").split("|")]
        if not header:
            header = [c.lower() for c in cells]
        elif {"module", "may use", "wraps"} <= set(header) and len(cells) == len(header) and not set("".join(cells)) <= set("-: "):
            row = dict(zip(header, cells))
            split = lambda text: {w.strip(" `") for w in text.split(",") if w.strip(" `-—")}  # noqa: E731
            if row["may use"] or row["wraps"]:
                rows[row["module"].strip("` ")] = ModuleRow(split(row["may use"]), split(row["wraps"]))
    return rows


def edges_of(cmake: str) -> tuple[str, set[str]] | None:
    """Module name and the modules it EXPOSES or USES."""
    match = re.search(r"volan_module\(\s*(\w+)([^)]*)\)", re.sub(r"#.*", "", cmake))
    if not match:
        return None
    keywords = {"EXPOSES", "USES", "LIBS", "PUBLIC_LIBS", "HEADERS"}
    edges: set[str] = set()
    current = ""
    for word in match[2].split():
        if word in keywords:
            current = word
        elif current in ("EXPOSES", "USES"):
            edges.add(word)
    return match[1], edges


def check_modules(tree: Tree) -> Iterator[Finding]:
    architecture = tree.find("ARCHITECTURE.md")
    if not architecture:
        return
    rows = table_of_modules(architecture.text)
    if not rows:
        yield Finding("ARCHITECTURE.md", 0, "no table with the header | module | may use | wraps |")
        return
    for module in tree.modules():
        cmake = tree.find(f"src/{module}/CMakeLists.txt")
        declared = edges_of(cmake.text) if cmake else None
        if module not in rows:
            yield Finding("ARCHITECTURE.md", 0, f"the table of modules has no row for {module}")
        elif declared:
            for edge in sorted(declared[1] - rows[module].may_use - {"core"}):
                if "everything" not in rows[module].may_use:
                    yield Finding(cmake.path, 0, f"{module} may not use {edge}: the table in ARCHITECTURE.md does not say so")
    yield from check_wraps(tree, rows)


def check_wraps(tree: Tree, rows: dict[str, ModuleRow]) -> Iterator[Finding]:
    for source in tree.cpp():
        if source.is_test:
            continue
        for line, name, _ in source.includes():
            library = library_of(name)
            if library is None or library in FREE or (source.module in rows and library in rows[source.module].wraps):
                continue
            owners = [m for m, row in rows.items() if library in row.wraps]
            yield Finding(source.path, line, f"<{name}> belongs to {library}, which {' and '.join(owners) or 'no module'} wraps (ARCHITECTURE.md)")


CHECKS = [check_includes, check_roles, check_json_edges, check_bans, check_files, check_modules]


def run_all(tree: Tree) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(tree)]

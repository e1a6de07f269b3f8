# DuckDB: the shared library comes from one archive, its C header from another; both go to $cache/duckdb.
# shellcheck shell=bash

duckdb_key() { key_of "$(lock_key duckdb)" "$(lock_key @duckdb/node-bindings-linux-x64)"; }
duckdb_ready() { has_stamp "$cache/duckdb/.stamp" "$(duckdb_key)"; }

duckdb_make() {
  local fresh=$cache/.duckdb.incoming
  rm -rf "$fresh" && mkdir -p "$fresh/include" "$fresh/lib"
  fetch @duckdb/node-bindings-linux-x64
  tar -xzf "$archive" -C "$fresh/lib" --strip-components=1 package/libduckdb.so package/LICENSE >>"$log" 2>&1 ||
    fail "$archive holds no libduckdb.so" "restore third_party.lock from the repository"
  fetch duckdb
  tar -xzf "$archive" -C "$fresh/include" --strip-components=5 --wildcards '*/external/duckdb/src/include/duckdb.h' >>"$log" 2>&1 ||
    fail "$archive holds no duckdb.h" "restore third_party.lock from the repository"
  put_stamp "$fresh/.stamp" "$(duckdb_key)"
  rm -rf "$cache/duckdb" && mv "$fresh" "$cache/duckdb"
}

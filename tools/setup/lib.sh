# Shared by the set-up steps: output, failures with advice, stamps, third_party.lock, downloads. Sourced by tools/setup/setup.
# shellcheck shell=bash

started=$(date +%s)
step_number=0
step_title="preparation"

elapsed() {
  local seconds=$(($(date +%s) - started))
  printf '%d:%02d' $((seconds / 60)) $((seconds % 60))
}

say() { printf '      %s\n' "$*"; }

# fail WHAT ADVICE: the only way to give up. The last lines of the step's log go first, because they usually name the cause.
fail() {
  trap - ERR
  clear_bar
  if [ -n "${log:-}" ] && [ -s "$log" ]; then
    printf '\n--- last lines of %s\n' "$log"
    tail -n 15 "$log"
    printf -- '---\n'
  fi >&2
  printf '\nset-up failed in "%s": %s\n  what to do: %s\n  Then run the same command again; finished steps are kept.\n' "$step_title" "$1" "$2" >&2
  exit 1
}

# bar DONE TOTAL TEXT: one moving line on a terminal, a line every half minute elsewhere.
bar_last=0
bar() {
  local done=$1 total=$2 text=$3 width=30 filled now
  if [ -t 1 ]; then
    filled=$((total > 0 ? done * width / total : 0))
    printf '\r      [%s%s] %s  %s ' "$(printf '%*s' "$filled" '' | tr ' ' '#')" "$(printf '%*s' $((width - filled)) '')" "$text" "$(elapsed)"
    bar_drawn=1
  else
    now=$(date +%s)
    if [ $((now - bar_last)) -ge 30 ]; then
      say "$text, elapsed $(elapsed)"
      bar_last=$now
    fi
  fi
}
clear_bar() {
  if [ -n "${bar_drawn:-}" ]; then printf '\r\033[K'; fi
  bar_drawn=
}

# A stamp is a file with the key of what it was made from. It lies inside what it vouches for, so that deleting that deletes it too.
key_of() { printf '%s\n' "$@" | sha256sum | cut -c1-32; }
has_stamp() { [ -f "$1" ] && [ "$(<"$1")" = "$2" ]; }
put_stamp() { printf '%s\n' "$2" >"$1"; }

# lock_entry NAME: sets lock_kind, lock_version, lock_file, lock_mb, lock_sha256 from third_party.lock.
lock_entry() {
  local kind name version file mb sha256 _purpose
  while read -r kind name version file mb sha256 _purpose; do
    if [ "$name" = "$1" ] && [ "$kind" != content ]; then
      lock_kind=$kind lock_version=$version lock_file=$file lock_mb=$mb lock_sha256=$sha256
      return
    fi
  done <"$root/third_party.lock"
  fail "third_party.lock has no entry $1" "restore the file from the repository"
}

# lock_key NAME: a key that changes with the entry.
lock_key() { lock_entry "$1" && printf '%s' "$lock_sha256"; }

# check_contents NAME FOLDER: compares the files that third_party.lock lists for the archive NAME with what was unpacked into FOLDER.
check_contents() {
  local kind name _version file _mb sha256 _purpose
  while read -r kind name _version file _mb sha256 _purpose; do
    if [ "$kind" = content ] && [ "$name" = "$1" ]; then
      printf '%s  %s\n' "$sha256" "$2/$file" | sha256sum --check --status ||
        fail "$file from $name is damaged" "check the disk (free space, errors), delete $2 and repeat"
    fi
  done <"$root/third_party.lock"
}

is_intact() { [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status; }

# fetch NAME: brings the archive of third_party.lock into $downloads, checked; sets `archive` to its path.
fetch() {
  lock_entry "$1"
  archive=$downloads/$lock_file
  if is_intact "$archive" "$lock_sha256"; then return; fi
  say "downloading $1 $lock_version, $lock_mb MB"
  local folder
  folder=$(mktemp -d "$downloads/.incoming.XXXXXX")
  case $lock_kind in
    pip-*) fetch_from_pip "$1" "$folder" ;;
    npm) fetch_from_npm "$1" "$folder" ;;
    *) fail "third_party.lock: unknown kind $lock_kind of $1" "restore the file from the repository" ;;
  esac
  [ -f "$folder/$lock_file" ] || fail "the registry sent no file $lock_file" "see the log $log"
  is_intact "$folder/$lock_file" "$lock_sha256" ||
    fail "$lock_file does not have the SHA-256 of third_party.lock" "repeat; if it stays so, the archive was changed upstream and must not be used"
  mv -f "$folder/$lock_file" "$archive"
  rm -rf "$folder"
}

# The hash stands in the request, so that pip checks it before it looks into the archive.
fetch_from_pip() {
  local name=$1 folder=$2
  local kind=(--only-binary "$name")
  if [ "$lock_kind" = pip-sdist ]; then kind=(--no-binary "$name"); fi
  printf '%s==%s --hash=sha256:%s\n' "$name" "$lock_version" "$lock_sha256" >"$folder/request.txt"
  "$python" -m pip download --disable-pip-version-check --retries 3 --no-deps --require-hashes "${kind[@]}" \
    -d "$folder" -r "$folder/request.txt" >>"$log" 2>&1 ||
    fail "pip could not download $name $lock_version" "check that this machine reaches the Python package registry: $python -m pip download --no-deps ${kind[*]} $name==$lock_version"
}

fetch_from_npm() {
  (cd "$2" && npm pack --silent "$1@$lock_version") >>"$log" 2>&1 ||
    fail "npm could not download $1 $lock_version" "check that this machine reaches the npm registry: npm pack $1@$lock_version"
}

# unpack_zip ARCHIVE FOLDER PREFIX: the members under PREFIX; Python's own module forgets which files are executable.
unpack_zip() {
  "$python" - "$@" <<'PYTHON' || fail "could not unpack $1" "check the free space of $2, then repeat"
import os, sys, zipfile
archive, folder, prefix = sys.argv[1:4]
with zipfile.ZipFile(archive) as zipped:
    for member in zipped.infolist():
        if member.filename.startswith(prefix) and not member.is_dir():
            path = zipped.extract(member, folder)
            mode = member.external_attr >> 16 & 0o777
            if mode:
                os.chmod(path, mode | 0o600)
PYTHON
}

# Python packages of the client tests: $cache/venv, from a lock file with hashes. Nothing of volan itself runs on Python.
# shellcheck shell=bash

python_lock=$root/tests/clients/requirements.txt
python_key() { { cat "$python_lock"; stat -L -c '%n %s' "$python"; } | sha256sum | cut -c1-32; }
python_ready() { [ ! -f "$python_lock" ] || { [ -x "$cache/venv/bin/python" ] && has_stamp "$cache/venv/.stamp" "$(python_key)"; }; }

python_make() {
  rm -rf "$cache/venv"
  "$python" -m venv "$cache/venv" >>"$log" 2>&1 || fail "could not make the Python environment $cache/venv" "install python3-venv and repeat"
  say "pip install of $(grep -c '==' "$python_lock") packages"
  "$cache/venv/bin/python" -m pip install --disable-pip-version-check --quiet --retries 3 --no-compile --only-binary :all: --require-hashes -r "$python_lock" >>"$log" 2>&1 ||
    fail "pip could not install tests/clients/requirements.txt" "the lock is made for Python 3.11 on x86-64; check that this machine reaches the Python package registry"
  put_stamp "$cache/venv/.stamp" "$(python_key)"
}

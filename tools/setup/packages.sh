# Debian packages: installs what is missing and nothing else; apt is not even started when all are there.
# shellcheck shell=bash

# The names of a list file: all of it, or one [section].
package_names() {
  awk -v want="${2:-}" '/^#/ {next} /^\[/ {section = substr($0, 2, length($0) - 2); next} section == want {for (i = 1; i <= NF; i++) print $i}' "$1"
}

missing_packages() {
  local names
  names=$(package_names "$setup/debian_packages.txt"; for section in "${sections[@]}"; do package_names "$setup/debian_packages_extra.txt" "$section"; done)
  # shellcheck disable=SC2086
  { dpkg-query -W -f='${Package} ${db:Status-Status}\n' $names 2>/dev/null || true; } |
    awk -v names="$names" '$2 == "installed" {there[$1] = 1} END {n = split(names, name); for (i = 1; i <= n; i++) if (!(name[i] in there)) print name[i]}'
}

packages_ready() {
  command -v dpkg-query >/dev/null || fail "this machine has no dpkg" "use Debian 12, in a container if need be"
  missing=$(missing_packages)
  [ -z "$missing" ]
}

packages_make() {
  local release
  release=$(. /etc/os-release && printf '%s %s' "$ID" "${VERSION_ID:-}")
  [ "$release" = "debian 12" ] || say "note: volan is built and tested on Debian 12; this is $release"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "installing packages needs root, and there is no sudo" "as root: apt-get install $(tr '\n' ' ' <<<"$missing")"
    as_root=(sudo)
    if ! [ -t 0 ]; then as_root=(sudo -n); fi
  fi
  local apt=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
  say "package lists"
  "${as_root[@]}" "${apt[@]}" update >>"$log" 2>&1 ||
    fail "apt-get update failed" "check the network and /etc/apt/sources.list.d, and that the user may run sudo"
  local plan
  # shellcheck disable=SC2086
  plan=$("${as_root[@]}" "${apt[@]}" install --no-install-recommends --assume-no $missing 2>&1) || true
  grep -E '^(Need to get|After this operation)' <<<"$plan" | while read -r line; do say "$line"; done || true
  keep_services_off
  # shellcheck disable=SC2086
  "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends $missing >>"$log" 2>&1 &
  apt_pid=$!
  while kill -0 "$apt_pid" 2>/dev/null; do
    bar "$(grep -c '^Setting up ' "$log" || true)" "$(apt_total)" "installing: $(grep -cE '^Get:' "$log" || true) fetched, $(grep -c '^Setting up ' "$log" || true) of $(apt_total) set up"
    sleep 1
  done
  clear_bar
  wait "$apt_pid" || { apt_pid=''; fail "apt-get install failed" "read the log above; run: sudo dpkg --configure -a; sudo apt-get -f install"; }
  apt_pid=
  restore_services
}

apt_total() { sed -nE 's/.* ([0-9]+) newly installed.*/\1/p' "$log" | tail -n 1 | grep . || echo 0; }

# Packages with a service would start it at once: a PostgreSQL cluster on port 5432, a web server on port 80. The tests and
# benchmarks start their own, so no cluster is made and nothing is started; a service that was there before is not touched.
keep_services_off() {
  services_off=
  on_exit+=(restore_services)
  local cluster_conf=/etc/postgresql-common/createcluster.d
  if grep -qx postgresql <<<"$missing"; then
    "${as_root[@]}" mkdir -p "$cluster_conf"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$cluster_conf/volan-set-up.conf" >/dev/null
    services_off=1
  fi
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
    policy_made=1
  fi
}

restore_services() {
  if [ -n "${apt_pid:-}" ] && kill -0 "$apt_pid" 2>/dev/null; then
    clear_bar
    say "letting apt finish, because stopping it would leave packages half installed"
    wait "$apt_pid" || true
  fi
  if [ -n "${services_off:-}" ]; then "${as_root[@]}" rm -f /etc/postgresql-common/createcluster.d/volan-set-up.conf; fi
  if [ -n "${policy_made:-}" ]; then "${as_root[@]}" rm -f /usr/sbin/policy-rc.d; fi
  if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
    local service
    for service in nginx haproxy; do
      if grep -qx "$service\(-light\)\?" <<<"${missing:-}"; then "${as_root[@]}" systemctl disable --quiet "$service" || true; fi
    done
  fi
  services_off='' policy_made='' missing=''
}

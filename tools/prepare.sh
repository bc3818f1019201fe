#!/usr/bin/env bash
# Makes sure that what the tests start is there: PostgreSQL, Chromium and the packages of test/sdk. As root on Debian it
# installs what is missing. Elsewhere it says what the tests will have to skip.
set -euo pipefail
cd "$(dirname "$0")/.."

has_postgresql() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
has_chromium() { command -v chromium >/dev/null; }

missing=()
has_postgresql || missing+=(postgresql)
has_chromium || missing+=(chromium)

if ((${#missing[@]})) && [[ $EUID -eq 0 && -e /etc/debian_version ]]; then
  echo "prepare: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
elif ((${#missing[@]})); then
  echo "prepare: ${missing[*]} not found; tests that need it are skipped (Debian: apt-get install ${missing[*]})"
fi

if [[ -e test/sdk/package-lock.json ]]; then
  # npm keeps a copy of the lock beside what it installed; as long as it is the newer one, nothing is to do.
  if ! command -v npm >/dev/null; then
    echo "prepare: npm not found; the tests in test/sdk are skipped"
  elif [[ ! test/sdk/node_modules/.package-lock.json -nt test/sdk/package-lock.json ]]; then
    (cd test/sdk && npm ci --no-audit --no-fund)
  fi
fi

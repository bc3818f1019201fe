#!/usr/bin/env bash
# Runs every fuzz test of the module for a time, one after the other: tools/fuzz.sh [TIME], such as 2m.
# An input that fails is written to testdata/fuzz/ of its package; commit it with the mending, it is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."

time=${1:-2m}
found=$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[++n] = $1 } /^ok/ { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
[[ -n $found ]] || { echo "found no fuzz tests" >&2; exit 1; }

failed=0
while read -r package name; do
  echo "== $name of $package"
  # Tests with goroutines cover a little more or less each time, which the default minute of minimizing waits for in vain.
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 100x "$package" || failed=1
done <<<"$found"
exit "$failed"

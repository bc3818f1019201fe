#!/usr/bin/env bash
# Looks for known vulnerabilities in what the program calls: tools/vuln.sh. A finding fails. Where the database of
# vulnerabilities does not answer, nothing is checked, and that is said; VULNDB names another copy of it (a URL).
set -euo pipefail
cd "$(dirname "$0")/.."

database=()
[[ -z ${VULNDB:-} ]] || database=(-db "$VULNDB")

# The list of modules is compared first, within seconds: it tells whether the database answers at all.
status=0
answer=$(timeout 60 bin/govulncheck "${database[@]}" -C cmd/magpie -scan module 2>&1) || status=$?
if [[ $status == 124 || $answer == *"fetching vulnerabilities"* ]]; then
  echo "vuln: NOT CHECKED, the database of vulnerabilities does not answer"
  exit 0
fi
exec bin/govulncheck "${database[@]}" ./...

#!/usr/bin/env bash
# Writes docs/compat.md, which needs the official SDK's declarations. Without them the page stays as it is; the tests of test/sdk,
# which have them, hold it against the code.
set -euo pipefail
cd "$(dirname "$0")/../test/sdk"

if ! command -v node >/dev/null || [[ ! -e node_modules/@tencentcloud/chat/index.d.ts ]]; then
  echo "compat: SKIPPED docs/compat.md, the official SDK is not installed (make prepare)"
else
  node compat.js
fi

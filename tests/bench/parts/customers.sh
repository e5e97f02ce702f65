#!/bin/sh
# A million customers: their import, searches, loads. CUSTOMERS=100000 for a quick look; some 2 GB on TMPDIR.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${BUILD:-build}/tests/bench_customers" "$dir" "${CUSTOMERS:-1000000}"

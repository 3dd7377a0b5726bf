#!/bin/sh
cd /tmp/t/r5
for t in "$@"; do TAP=1 TAP_TIMEOUT=300 node scripts/run-ts.mjs $t > /tmp/t/own/r5.out 2>&1; grep -E "^ *not ok|^# \{" /tmp/t/own/r5.out | cut -c1-160; done
npx tsc --noEmit -p . | head
f=$(git status --short | awk '$1!="D"{print $2}'); npx eslint $(echo "$f" | grep -E 'ts$|mjs$') | tail -20; npx prettier --check $(echo "$f" | grep -E '\.(ts|mjs|md|json)$') | tail -5

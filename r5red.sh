#!/bin/sh
# red: run tests with src as in HEAD, then put back
cd /tmp/t/r5; k=$(mktemp -d /tmp/t/own/r5keep/XXXX)
tar cf $k/src.tar src
for f in $(git diff --name-only HEAD -- src); do git show HEAD:$f > $f; done
for t in "$@"; do TAP=1 TAP_TIMEOUT=300 node scripts/run-ts.mjs $t 2>&1 | grep -E "^ *not ok|^# \{" | cut -c1-160; done
tar xf $k/src.tar

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Headless Chromium dumps a local page whose script has run. Chromium's own sandbox is off (--no-sandbox): its filters and
# user namespaces are the seccomp gap's business.
. "$(dirname -- "$0")/../lib.sh"
need chromium
cat >page.html <<'X'
<!doctype html><title>page</title><p id=out>not run</p>
<script>
const table = Array.from({ length: 1000 }, (_, n) => n * n).reduce((a, b) => a + b);
document.getElementById('out').textContent = 'sum ' + table;
const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(6 * 7)'])));
worker.onmessage = (e) => { document.body.append('worker ' + e.data); };
</script>
X
export HOME=$WORK XDG_CONFIG_HOME=$WORK/config XDG_CACHE_HOME=$WORK/cache XDG_RUNTIME_DIR=$WORK
# shellcheck disable=SC2086 # a prefix of several words
timeout "$(size 60 400)" $RUN chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$WORK/profile" \
	--no-first-run --disable-background-networking --virtual-time-budget=3000 --dump-dom "file://$WORK/page.html" >dom.out 2>chromium.err
status=$?
[ $status = 0 ] || fail "status $status: $(tail -n 5 chromium.err)"
contains DOM "$(cat dom.out)" 'sum 332833500'
contains DOM "$(cat dom.out)" 'worker 42'
say "dumped $(wc -c <dom.out) bytes of DOM; script and worker have run"
passed

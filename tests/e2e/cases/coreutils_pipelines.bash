#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints checksums and results only: run natively and under lichen, the output must be the same. Argument: a tar file.
set -eu
input=$1

echo "== tar, find, xargs, sort"
mkdir tree
tar xf "$input" -C tree
find tree -type f -print0 | sort -z | xargs -0 -n 50 sha256sum | sha256sum
find tree -name '*.h' -size +1k -exec wc -c {} + | sort -n | tail -n 3
xargs -P 4 -n 5 cksum < <(find tree -type f | sort | head -n 40) | sort | md5sum

echo "== tar and gzip there and back"
tar c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner tree | gzip -n9 >tree.tgz
sha256sum <tree.tgz
mkdir copy && gzip -dc tree.tgz | tar x -C copy
diff -r tree copy/tree && echo same

echo "== sort with temporary files, join, comm, uniq, split"
seq 1 20000 | sed 's/.*/& &/' | sort -S 64k -r -k1,1 >a
sort -n a | md5sum
split -l 7000 -d a part. && cat part.* | cmp - a && echo joined
tr -cs 'a-z' '\n' <"$input" | sort | uniq -c | sort -k1,1nr -k2 | head -n 5
comm -12 <(seq 1 100 | sort) <(seq 50 150 | sort) | wc -l

echo "== files"
ln -s tree/x link && readlink link && ln a b && find b -printf '%n %s\n'
mkfifo pipe && (echo through >pipe &) && cat pipe
touch -d @1000000000 a && find a -printf '%T@\n' && date -u -d @1000000000 +%FT%T
cp -a copy copy2 && mv copy2 copy3 && rm -r copy3 && echo *
truncate -s 1M hole && dd if=hole bs=64k status=none | sha1sum
mkdir -m 700 d && chmod 1777 d && find d -printf '%m\n'
head -c 5 /dev/zero | od -An -tx1

echo "== statuses, signals, job control in bash"
set +e
yes | head -n 1; echo "${PIPESTATUS[@]}"
false | true; echo "${PIPESTATUS[@]}"
(exit 37); echo $?
{ bash -c 'kill -TERM $$'; } 2>&-; echo $?
timeout 0.2 sleep 5; echo $?
{ timeout -s KILL 0.2 sleep 5; } 2>&-; echo $?
trap 'echo got USR1' USR1; kill -USR1 $BASHPID
sleep 0.1 & wait -n; echo "wait $?"
coproc tr a-z A-Z; echo coproc >&"${COPROC[1]}"; exec {COPROC[1]}>&-; cat <&"${COPROC[0]}"
for i in 1 2 3 4 5 6 7 8; do (echo $((i * i)) >"n$i") & done; wait; cat n?
stdbuf -oL echo preloaded
env -i A=b /usr/bin/env
cat <<< "here string" | tee /dev/null
(ulimit -n 64; ulimit -n)
nice -n 5 nice
if [[ ${STATX-1} = 1 ]]; then
	echo "== stat and ls (they use statx, which gVisor of 2022 refuses)"
	stat -c '%n %h %s %a' a b d
	ls -ld --time-style=+%s d | cut -d ' ' -f 1
	ls -1 tree | tail -n 3
fi
echo "== end"

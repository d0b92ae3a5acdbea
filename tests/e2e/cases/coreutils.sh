#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bash, dash and coreutils: pipelines of find, xargs, tar, gzip and sort give the same bytes as natively.
. "$(dirname -- "$0")/../lib.sh"

# Something to chew on: the headers of the kernel, a few hundred files.
source=/usr/include/linux
[ -d $source ] || skip "no $source"
find $source -maxdepth 1 -name "$(size '*' 'i[a-f]*')" -type f | sort | tar cf input.tar --mtime=@0 --owner=0 --group=0 -T - 2>/dev/null
say "input: $(tar tf input.tar | wc -l) files"

# A guest of an old kernel must not see less than natively; that statx works is another matter.
STATX=1
stat / >/dev/null 2>&1 || STATX=0
export STATX
same_as_native bash "$CASES/coreutils_pipelines.bash" "$WORK/input.tar"
say "bash: pipelines, process substitution, coproc, traps: $(wc -l <"$WORK/run.out") lines of output as natively"
rm -rf native run
same_as_native dash "$CASES/coreutils_dash.sh"
say "dash: same output as natively"
passed

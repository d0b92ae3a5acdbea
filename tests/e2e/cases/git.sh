#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# git: clone, log, status, commit, branch, merge, repack, gc and fsck, on a repository of 600 commits (busybox's files) and on
# the one this file lies in.
. "$(dirname -- "$0")/../lib.sh"
need git
[ -e "$BUILT/repo.git" ] || fail "no $BUILT/repo.git: run tests/e2e/prepare"
# The repositories belong to somebody else where we are another user.
printf '[safe]\n\tdirectory = *\n[user]\n\temail = test@example.org\n\tname = Test\n' >.gitconfig
export GIT_CONFIG_NOSYSTEM=1 HOME="$WORK" GIT_PAGER=cat
same_as_native bash "$CASES/git_work.bash" "$BUILT/repo.git" "$(size 600 60)"
tail -n 3 run.out | while read -r line; do say "$line"; done
top=$(cd "$CASES/../../.." && pwd)
if [ -e "$top/.git" ] && git -C "$top" rev-parse HEAD >/dev/null 2>&1; then
	# shellcheck disable=SC2086 # a prefix of several words
	$RUN git clone -q --no-local "$top" own || fail "clone of $top"
	# shellcheck disable=SC2086
	same "log of this repository" "$(git -C own log --format=%H%s | sha1sum)" "$($RUN git -C own log --format=%H%s | sha1sum)"
	# shellcheck disable=SC2086
	same "status of this repository" "" "$($RUN git -C own status --porcelain)"
	say "this repository: $(git -C own rev-list --count HEAD) commits cloned"
else
	say "this repository: not a git work tree here"
fi
passed

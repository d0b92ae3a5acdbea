#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Works in git; prints results that must be the same natively and under lichen. Arguments: a repository, number of commits.
set -eu
commits=$2
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
if [[ $commits -ge 600 ]]; then
	git clone -q --no-local "$1" work
else
	git clone -q --no-local --depth "$commits" "file://$1" work
fi
cd work
git log --format=%H | sha1sum
git log --stat --reverse -n 20 | sha1sum
git status --porcelain
git ls-files | wc -l
git checkout -q -b topic
file=$(git ls-files | head -n 1)
echo changed >>"$file"
echo new >new-file
git add -A
git commit -q -m 'Change one, add one'
git diff --stat main topic | tail -n 1
git checkout -q main
echo other >other-file
git add other-file
git commit -q -m 'Add another'
git merge -q --no-edit topic
git log --format='%h %p %s' -n 3
echo dirty >>other-file
touch untracked
git status --porcelain
git stash -q
git stash pop -q
git blame -s other-file | sed 's/ .*)/ )/'
git grep -c main -- '*.c' | wc -l
git -c gc.pruneExpire=now gc -q
git count-objects -v | grep -E '^(count|in-pack|packs):'
git fsck --strict 2>&1 | sed 1q
git archive --format=tar HEAD | sha1sum
git bundle create -q ../all.bundle main && git clone -q -b main ../all.bundle ../again && git -C ../again rev-parse HEAD
echo "clone, log, commit, merge, stash, gc, fsck, archive, bundle of $(git rev-list --count HEAD) commits"

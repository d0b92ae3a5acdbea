# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by every script of tests/envs (bash): where things are, and how the helpers written in C are built on demand.

set -u
envs=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P) || exit 125
repo=${envs%/tests/envs}
# shellcheck disable=SC2034 # for the scripts that source this file
lib=$envs/lib
out=$repo/build/envs
export LICHEN_ENV_REPO=$repo

# broken MESSAGE…: the environment cannot be made.
broken() {
	echo "tests/envs: ${0##*/}: $*" >&2
	exit 125
}

# need PROGRAM PACKAGE: says which package is missing.
need() {
	command -v "$1" >/dev/null || broken "$1 is missing: apt-get install $2"
}

# helper NAME SOURCE [FLAG…]: builds $out/NAME when SOURCE is newer. Runs that start together wait for one build.
helper() {
	local name=$1 source=$2
	shift 2
	[[ -x $out/$name && ! $source -nt $out/$name ]] && return
	need gcc gcc
	mkdir -p "$out/scratch" || broken "cannot write $out"
	{
		flock 9
		if [[ ! -x $out/$name || $source -nt $out/$name ]]; then
			gcc -std=gnu17 -O2 -Wall -Wextra -Wshadow "$@" -o "$out/$name.$$" "$source" ||
				broken "building $name failed"
			mv -f "$out/$name.$$" "$out/$name"
		fi
	} 9>"$out/lock"
}

[[ $# -gt 0 ]] || {
	echo "usage: tests/envs/${0##*/} COMMAND [ARG…]" >&2
	exit 125
}

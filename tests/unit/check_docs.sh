#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check_docs.sh LICHEN DOCS: every command, option and gap that lichen knows is in its man page and in each completion, and
# --help fits a screen of 80x24.
set -u
lichen=$1 docs=$2 bad=0

# wants FILE WORD: the word stands in the file; troff writes a dash as \-.
wants() {
	sed 's/\\-/-/g' "$docs/$1" | grep -qw -e "$2" || {
		echo "$1 does not mention $2"
		bad=1
	}
}

fits() {
	local name=$1 lines columns
	shift
	"$@" >"$scratch/help" || bad=1
	lines=$(wc -l <"$scratch/help")
	columns=$(LC_ALL=C.UTF-8 wc -L <"$scratch/help")
	((lines <= 24 && columns <= 80)) || {
		echo "help of $name is ${columns}x$lines"
		bad=1
	}
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
fits lichen "$lichen" help
for command in run doctor; do
	fits "$command" "$lichen" "$command" --help
	wants man/lichen.1 "lichen-$command"
	while read -r option; do
		wants "man/lichen-$command.1" "--$option"
		for completion in completion/lichen.bash completion/_lichen; do
			wants "$completion" "--$option"
		done
		wants completion/lichen.fish "-l $option"
	done < <(grep -oE '^ +(-., )?--[a-z]+' "$scratch/help" | grep -oE '[a-z]+$')
done
gaps=$("$lichen" run --native=no-such-gap true 2>&1 | sed -n "s/.*known: //p" | sed 's/,//g; s/ and / /')
[[ $gaps ]] || bad=1
for gap in $gaps; do
	for file in man/lichen.1 completion/lichen.bash completion/_lichen completion/lichen.fish; do
		wants "$file" "$gap"
	done
done
exit $bad

#!/bin/dash
# SPDX-License-Identifier: Apache-2.0
# Prints results only: the output must be the same natively and under lichen.
i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	printf '%s ' "$(echo $i | sed 's/$/!/')"
done
echo
(sleep 0.1; exit 3) &
wait $!
echo "wait $?"
trap 'echo trapped' TERM
kill -TERM $$
sh -c 'exit 200'
echo $?
sh -c 'kill -KILL $$'
echo $?
printf 'a\nb\nc\n' | while read -r line; do echo "[$line]"; done
exec 3>file && echo three >&3 && exec 3>&- && cat file
cat <<X
here $((6 * 7))
X
set -- $(echo one two three)
echo $# "$2"
umask 027 && : >masked && find masked -printf '%m\n'
cat absent 2>&1
echo $?
/nonexistent/program 2>&1
echo $?

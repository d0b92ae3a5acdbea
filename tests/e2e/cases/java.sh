#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Java: many threads that contend, parallel streams, garbage collection, ProcessBuilder, sockets, NullPointerException and
# StackOverflowError (the JVM makes them from SIGSEGV), run from source and compiled by javac.
. "$(dirname -- "$0")/../lib.sh"
need javac
cp "$CASES/java_workload.java" Workload.java
# The JVM sizes its heap by the machine; keep it small where memory is slow to get.
export JAVA_TOOL_OPTIONS="-Xmx256m -Xss512k"
# shellcheck disable=SC2086 # a prefix of several words
out=$($RUN javac -d . Workload.java 2>&1) || fail "javac: status $?: $out"
for collector in $(size "-XX:+UseG1GC -XX:+UseSerialGC -XX:+UseZGC" "-XX:+UseSerialGC"); do
	# shellcheck disable=SC2086
	out=$($RUN java "$collector" -cp . Workload "$(size 64 12)" 2>&1) || fail "$collector: status $?: $out"
	contains "$collector" "$out" "all done"
	say "$collector: $(echo "$out" | grep -v -e 'all done' -e Picked | tr '\n' ';')"
done
# shellcheck disable=SC2086
same "exit status" 42 "$(status_of $RUN java -cp . Workload exit)"
passed

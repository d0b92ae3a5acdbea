#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the linked agent: no undefined symbol, no relocation, no writable byte, nothing but general registers.
set -eu
agent=$1
if nm -u "$agent" | grep .; then echo "agent: undefined symbols" >&2; exit 1; fi
if readelf -rW "$agent" | grep -q R_X86_64; then echo "agent: relocations left" >&2; exit 1; fi
if readelf -lW "$agent" | awk '$1 == "LOAD" && $0 ~ /RW/ { bad = 1 } END { exit !bad }'; then echo "agent: writable segment" >&2; exit 1; fi
if objdump -d "$agent" | grep -E '%([xyz]mm|mm|st|gs)' ; then echo "agent: registers that are the guest's" >&2; exit 1; fi
if [ $# -gt 1 ]; then : >"$2"; fi

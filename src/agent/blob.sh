#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes assembly that embeds the agent's image: blob.sh IMAGE OUTPUT
set -eu
cat >"$2" <<END
/* generated: $(cksum <"$1") */
	.section .rodata
	.globl agent_blob, agent_blob_end
	.balign 4096
agent_blob:
	.incbin "$(realpath "$1")"
agent_blob_end:
	.byte 0
	.section .note.GNU-stack, "", @progbits
END

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that entry.S shares with C; private.h and trap.c check them with static_assert. */
#ifndef LICHEN_AGENT_X86_64_OFFSETS_H
#define LICHEN_AGENT_X86_64_OFFSETS_H

#define OFF_PRIVATE 0x51f000000000
#define OFF_TEXT 0x520000000000
#define OFF_POOL 0x51f000100000
#define OFF_PRIVATE_MAGIC 0x65746176697270
#define OFF_SHADOW_COUNT 8
#define OFF_THUNKS 0x1000
#define OFF_SLOT_BUSY 0x5000
#define OFF_SLOT_SHIFT 16
#define OFF_SLOT_MASK 1023
#define OFF_SLOT_HEADER 256

#define OFF_TRAP_FRAME 16
#define OFF_TRAP_HANDLER 32
#define OFF_TRAP_INTERRUPTED 40
#define OFF_TRAP_AGENT_SP 48

#define OFF_LEFT_IP 8
#define OFF_LEFT_NR 16
#define OFF_LEFT_RESULT 24
#define OFF_LEFT_ARGS 32
#define OFF_LEFT_BELOW 160 /* of the guest's stack pointer: its red zone, and what is left before args */
#define TRACE_REPORT_NR_ASM 0x4c43

#define OFF_CONTEXT_IP 168
#define OFF_THUNKS_MAX 512

#endif

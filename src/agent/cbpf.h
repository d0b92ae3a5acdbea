/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of seccomp(2) in classic BPF: which of them the kernel takes, and what they say of a system call. Stands alone, so that unit tests and the
 * fuzzer build it hosted.
 */
#ifndef LICHEN_AGENT_CBPF_H
#define LICHEN_AGENT_CBPF_H

#include "base/types.h"

#define CBPF_INSNS_MAX 4096u /* BPF_MAXINSNS */
#define CBPF_WORDS 16u       /* BPF_MEMWORDS */

struct cbpf_insn { /* struct sock_filter */
	u16 code;
	u8 jt, jf;
	u32 k;
};

struct cbpf_data { /* struct seccomp_data */
	s32 nr;
	u32 arch;
	u64 ip; /* behind the instruction */
	u64 args[6];
};

/* Whether seccomp(2) would take it (bpf_check_classic(), seccomp_check_filter()). work: room for `length` numbers, or CBPF_INSNS_MAX. */
bool cbpf_check(const struct cbpf_insn *insn, u32 length, u16 *work);

/* The value that a program returns of a call. Only what cbpf_check() accepted: it then ends, and reaches nothing but `data`. ret_constant: whether it is the same
 * for every call of that number and architecture. */
u32 cbpf_run(const struct cbpf_insn *insn, const struct cbpf_data *data, bool *ret_constant);

#endif

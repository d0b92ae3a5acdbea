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

/*
 * Writes a program that says what `from` says, but allows the calls of one who is trusted: with an instruction pointer in the `size` bytes from `text` on, whose low half
 * is 0, but for `judged`. What is allowed by number alone stays so, which the kernel remembers: the pointer is looked at last, where the answer would be another; or
 * first, in a program that computes what it returns, or is long. to: CBPF_INSNS_MAX. Returns its length; length is at most CBPF_EXEMPTED_MAX.
 */
#define CBPF_EXEMPTED_MAX (CBPF_INSNS_MAX - 7)
struct cbpf_trusted {
	u64 text;
	u32 size;
	u32 judged; /* behind text */
};
u32 cbpf_exempt(struct cbpf_insn *to, const struct cbpf_insn *from, u32 length, const struct cbpf_trusted *trusted);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp profile of a cage: a program that the kernel takes, or a sentence. */
#include "agent/cbpf.h"
#include "cage/cage_profile.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u16 work[CBPF_INSNS_MAX];
	struct oci_seccomp seccomp;
	struct oci_error error = { .text = "" };
	char *text = malloc(size ? size : 1);
	if (size)
		memcpy(text, data, size);
	int r = cage_profile_read(text, size, &seccomp, &error);
	free(text);
	if (r == 0)
		MUST(seccomp.length && cbpf_check((const struct cbpf_insn *)seccomp.program, seccomp.length, work));
	else
		MUST(!seccomp.program && error.text[0] && memchr(error.text, 0, sizeof(error.text)));
	free(seccomp.program);
	return 0;
}

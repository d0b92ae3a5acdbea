/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of guests' filters (agent/cbpf.c): input is a call's data and a program. One that is accepted must end, and reach nothing beyond itself and the
 * data: both lie in memory of just their size. (That it says what the kernel says is tests/unit/test_cbpf.c's affair.)
 */
#include "agent/cbpf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size }, first = input_take(&in, sizeof(struct cbpf_data));
	u32 length = (u32)(in.left / sizeof(struct cbpf_insn));
	struct cbpf_data *call = calloc(1, sizeof(*call));
	struct cbpf_insn *insn = malloc(length * sizeof(*insn) + !length);
	u16 *work = malloc(length * sizeof(*work) + !length);

	MUST(call && insn && work);
	memcpy(call, first.at, first.left);
	memcpy(insn, in.at, length * sizeof(*insn));
	if (cbpf_check(insn, length, work)) {
		bool constant, again;
		u32 value = cbpf_run(insn, call, &constant);

		MUST(length > 0 && length <= CBPF_INSNS_MAX && value == cbpf_run(insn, call, &again) && constant == again);
		memset(&call->ip, 0x55, sizeof(*call) - offsetof(struct cbpf_data, ip));
		MUST(!constant || value == cbpf_run(insn, call, &again));
	}
	free(work);
	free(insn);
	free(call);
	return 0;
}

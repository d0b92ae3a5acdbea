/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel gets of guests' filters (guest_seccomp.c): input is a length and the guest's program. What the kernel gets must be a program, too; it must let through
 * the agent's text but for one instruction, and say what the guest's says of all else.
 */
#include "agent/cbpf.h"
#include "agent/engine.h"
#include "fuzz.h"

static struct slot *slot;
static const u8 *guest;
static size_t guest_size;
static u64 low_ip;
static int installed;
static struct cbpf_insn kept_insn[CBPF_INSNS_MAX];

static struct slot *fake_slot(void)
{
	return slot;
}
#define slot_current() fake_slot()
/* That instruction and the end of the text, as entry.S and agent.ld might place them. */
#define agent_pass_judged_done ((const char *)0x520000000200)
#define agent_end ((const char *)0x52000000c000)
#include "agent/guest_seccomp.c" // NOLINT(bugprone-suspicious-include): its parts are static

void *fake_memset(void *to, int byte, size_t size)
{
	return (memset)(to, byte, size);
}

/* Guest addresses are offsets into the input. */
int guest_read(void *to, u64 from, u64 size)
{
	if (from > guest_size || size > guest_size - from)
		return -EFAULT;
	memcpy(to, guest + from, size);
	return 0;
}

static long install_seen(const struct program *program)
{
	const struct cbpf_insn *insn = (const struct cbpf_insn *)program->filter;
	u64 ips[] = { low_ip,         LAYOUT_TEXT + (low_ip & 0xffff),
		      LAYOUT_TEXT,    0x5200000001ff,
		      0x520000000200, 0x520000000201,
		      0x52000000bfff, 0x52000000c000 };
	struct cbpf_data data = { .nr = (s32)(low_ip >> 7), .arch = 0xc000003e };
	u16 work[CBPF_INSNS_MAX];
	bool constant;

	MUST(cbpf_check(insn, program->len, work));
	for (u32 i = 0; i < ARRAY_SIZE(ips); i++) {
		bool trusted = ips[i] >= LAYOUT_TEXT && ips[i] < (u64)agent_end && ips[i] != (u64)agent_pass_judged_done;

		data.ip = ips[i];
		MUST(cbpf_run(insn, &data, &constant) == (trusted ? SECCOMP_RET_ALLOW_ : cbpf_run(kept_insn, &data, &constant)));
	}
	installed++;
	return 0;
}

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	(void)b, (void)d, (void)e, (void)f;
	MUST(nr == __NR_seccomp || nr == __NR_prctl);
	if (nr == __NR_seccomp && !c)
		return -EFAULT;
	return a == (nr == __NR_seccomp ? 1 : 22) ? install_seen((const struct program *)c) : -ENOSYS;
}

/* guest_filter.c: one filter, checked elsewhere. */
long filter_keep(u64 from, u32 length)
{
	u16 work[CBPF_INSNS_MAX];

	if (guest_read(kept_insn, from, length * sizeof(*kept_insn)) < 0)
		return -EFAULT;
	return cbpf_check(kept_insn, length, work) ? 3 : -EINVAL;
}

const struct cbpf_insn *filter_program(long kept)
{
	MUST(kept == 3);
	return kept_insn;
}

void filter_use(long kept, bool every_thread)
{
	MUST(kept == 3 && !every_thread && installed);
}

void filter_drop(long kept)
{
	(void)kept;
	MUST(!"nothing fails once it is kept");
}

u32 filter_count(void)
{
	return 0;
}

void agent_creds_get(struct agent_creds *creds)
{
	*creds = (struct agent_creds){ .no_new_privs = true };
}

void identity_filtered(u32 filters, bool strict)
{
	(void)filters, (void)strict;
}

bool pids_on(void)
{
	return false;
}

s32 pids_to_guest(s32 pid)
{
	return pid;
}

u32 task_word(enum task_word kind)
{
	return kind;
}

void task_word_set_own(enum task_word kind, u32 word)
{
	(void)kind, (void)word;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct call call = { .nr = __NR_seccomp, .arg = { 1, 0, 0 } };

	if (!slot)
		slot = aligned_alloc(SLOT_SIZE, SLOT_SIZE);
	low_ip = input_number(&in, 8);
	guest = in.at;
	guest_size = in.left;
	installed = 0;
	MUST(engine_seccomp(&call) == CALL_DONE && (call.ret == 0) == (installed == 1) && call.ret <= 0);
	call = (struct call){ .nr = __NR_prctl, .arg = { 22, 2, 0 } };
	MUST(engine_prctl(&call) == CALL_DONE);
	return 0;
}

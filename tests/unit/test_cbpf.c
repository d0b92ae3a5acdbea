// SPDX-License-Identifier: Apache-2.0
/*
 * agent/cbpf.c against the kernel: programs of all kinds, most of them made at random (from a fixed seed), some with an error in them.
 *   Which are taken: seccomp(2) is asked, in a child; behind instructions that let every call by, so that it lives on.
 *   What they return: the same program as a socket filter, which tells its value as the length that is left of a packet, a byte of it at a time.
 */
#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/cbpf.h"

#define PROGRAMS 4000
#define PER_CHILD 100 /* what a task's filters have in all is limited */
#define LENGTH_MAX 24u
#define PACKET 300u
#define WORDS (sizeof(struct cbpf_data) / 4)
static_assert(sizeof(struct cbpf_insn) == sizeof(struct sock_filter) && sizeof(struct cbpf_data) == sizeof(struct seccomp_data),
	      "the kernel's");

struct code {
	struct cbpf_insn insn[4 * LENGTH_MAX];
	u32 length;
};

static u64 random_state;

static u32 any(u32 below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (u32)(random_state >> 33) % below;
}

static const u16 codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_ALU | BPF_ADD,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
};

static struct cbpf_insn any_insn(u32 left)
{
	static const u32 constants[] = { 0, 1, 2, 3, 7, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678, 0x7fff0000 };
	struct cbpf_insn insn = { codes[any(ARRAY_SIZE(codes))], (u8)any(left + 1), (u8)any(left + 1),
				  constants[any(ARRAY_SIZE(constants))] };

	if (insn.code == (BPF_LD | BPF_W | BPF_ABS))
		insn.k = any(30) ? 4 * any(WORDS) : any(sizeof(struct cbpf_data) + 4);
	else if ((insn.code & 7) <= BPF_STX && (insn.code & 0xe0) == (insn.code & 2 ? 0 : BPF_MEM))
		insn.k = any(2) ? 0 : any(17);
	else if (insn.code == (BPF_JMP | BPF_JA))
		insn.k = any(left + 1);
	if (any(400) == 0)
		insn.code = (u16)any(0x200);
	if (any(400) == 0)
		insn.k = any(80);
	return insn;
}

static void any_program(struct code *code)
{
	code->length = 1 + any(LENGTH_MAX);
	for (u32 i = 0; i < code->length; i++)
		code->insn[i] = any_insn(code->length - 1 - i);
	for (u32 i = 0; i < 3 && i < code->length && any(2); i++) /* some memory that may be read */
		code->insn[i] = (struct cbpf_insn){ any(2) ? BPF_ST : BPF_STX, 0, 0, any(2) ? 0 : any(16) };
	if (any(20))
		code->insn[code->length - 1] = (struct cbpf_insn){ any(2) ? BPF_RET | BPF_A : BPF_RET | BPF_K, 0, 0, 0x50001 };
}

static bool accepts(const struct code *code)
{
	u16 work[LENGTH_MAX];

	return cbpf_check(code->insn, code->length, work);
}

/* --- which are taken ----------------------------------------------------------------------------------------------------------------- */

/* In a child: 0, or 1 + the index of the first program on which the two disagree. */
static u32 compare_checks(u32 count)
{
	struct code code;
	struct cbpf_insn insn[LENGTH_MAX + 3] = { { BPF_LD | BPF_W | BPF_ABS, 0, 0, 4 },
						  { BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0x11111111 }, /* no architecture's number */
						  { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 255;
	for (u32 i = 0; i < count; i++) {
		struct sock_fprog program = { 0, (struct sock_filter *)insn };

		any_program(&code);
		memcpy(insn + 3, code.insn, code.length * sizeof(*insn));
		program.len = (u16)(code.length + 3);
		if ((syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) != accepts(&code))
			return 1 + i;
	}
	return 0;
}

static void test_takes_what_the_kernel_takes(void **state)
{
	struct code code;

	(void)state;
	for (u32 from = 0; from < PROGRAMS; from += PER_CHILD) {
		int status;
		pid_t pid;

		random_state = from;
		pid = fork();
		if (pid == 0)
			_exit((int)compare_checks(PER_CHILD));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	code.length = 0;
	assert_false(accepts(&code));
}

/* --- what they return ---------------------------------------------------------------------------------------------------------------- */

/* Where each instruction begins in the socket filter. */
static void place(const struct code *code, u32 *at)
{
	at[0] = 0;
	for (u32 i = 0; i < code->length; i++)
		at[i + 1] = at[i] + (code->insn[i].code == (BPF_RET | BPF_K) ? 2 : 1);
}

/* The program with loads of words of a packet, and with an end that returns 1 + one byte of its value. */
static void as_socket_filter(const struct code *from, u32 byte, struct code *to)
{
	u32 at[LENGTH_MAX + 1], n = 0;

	place(from, at);
	for (u32 i = 0; i < from->length; i++) {
		struct cbpf_insn insn = from->insn[i];
		u32 end = at[from->length];

		if ((insn.code & 7) == BPF_JMP && insn.code != (BPF_JMP | BPF_JA)) {
			insn.jt = (u8)(at[i + 1 + insn.jt] - at[i] - 1);
			insn.jf = (u8)(at[i + 1 + insn.jf] - at[i] - 1);
		} else if (insn.code == (BPF_JMP | BPF_JA)) {
			insn.k = at[i + 1 + insn.k] - at[i] - 1;
		} else if (insn.code == (BPF_LD | BPF_W | BPF_LEN) || insn.code == (BPF_LDX | BPF_W | BPF_LEN)) {
			insn = (struct cbpf_insn){ (u16)((insn.code & 7) | BPF_IMM), 0, 0, sizeof(struct cbpf_data) };
		} else if (insn.code == (BPF_RET | BPF_K)) {
			to->insn[n++] = (struct cbpf_insn){ BPF_LD | BPF_IMM, 0, 0, insn.k };
			insn = (struct cbpf_insn){ BPF_JMP | BPF_JA, 0, 0, end - n - 1 };
		} else if (insn.code == (BPF_RET | BPF_A)) {
			insn = (struct cbpf_insn){ BPF_JMP | BPF_JA, 0, 0, end - n - 1 };
		}
		to->insn[n++] = insn;
	}
	to->insn[n++] = (struct cbpf_insn){ BPF_ALU | BPF_RSH | BPF_K, 0, 0, 8 * byte };
	to->insn[n++] = (struct cbpf_insn){ BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xff };
	to->insn[n++] = (struct cbpf_insn){ BPF_ALU | BPF_ADD, 0, 0, 1 };
	to->insn[n++] = (struct cbpf_insn){ BPF_RET | BPF_A, 0, 0, 0 };
	to->length = n;
}

/* One byte of what the kernel makes of it. A division by zero drops the packet, as if the value were 0. */
static u32 kernels_byte(const int sockets[2], const struct code *code, u32 byte, const u8 *packet)
{
	struct code filter;
	struct sock_fprog program = { 0, (struct sock_filter *)filter.insn };
	u8 got[PACKET];
	ssize_t n;

	as_socket_filter(code, byte, &filter);
	program.len = (u16)filter.length;
	assert_int_equal(setsockopt(sockets[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	n = send(sockets[0], packet, PACKET, 0);
	assert_true(n == PACKET || (n < 0 && errno == EPERM)); /* dropped */
	n = recv(sockets[1], got, sizeof(got), MSG_DONTWAIT);
	return n > 0 ? (u32)n - 1 : 0;
}

static void compare_values(const int sockets[2], const struct code *code)
{
	u32 words[WORDS];
	struct cbpf_data data;
	u8 packet[PACKET] = { 0 };
	bool constant;
	u32 value = 0;

	for (u32 i = 0; i < WORDS; i++) {
		words[i] = any(3) ? any(4) : any(0x7fffffff) * 2 + any(2);
		for (u32 b = 0; b < 4; b++)
			packet[4 * i + b] = (u8)(words[i] >> (24 - 8 * b));
	}
	memcpy(&data, words, sizeof(data));
	for (u32 byte = 0; byte < 4; byte++)
		value |= kernels_byte(sockets, code, byte, packet) << 8 * byte;
	assert_int_equal(cbpf_run(code->insn, &data, &constant), value);
	memset(data.args, 0x77, sizeof(data.args));
	if (constant)
		assert_int_equal(cbpf_run(code->insn, &data, &constant), value);
}

static void test_returns_what_the_kernel_returns(void **state)
{
	struct code code;
	int sockets[2];
	u32 compared = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets), 0);
	random_state = 7;
	for (u32 i = 0; i < PROGRAMS; i++) {
		any_program(&code);
		if (!accepts(&code))
			continue;
		for (u32 round = 0; round < 3; round++, compared++)
			compare_values(sockets, &code);
	}
	assert_true(compared > PROGRAMS / 4);
	close(sockets[0]);
	close(sockets[1]);
}

/* --- exempting ------------------------------------------------------------------------------------------------------------------------ */

static void compare_exempted(const struct code *code)
{
	static const struct cbpf_trusted trusted = { 0x520000000000, 0x1000, 0x200 };
	static const u64 ips[] = { 0x520000000000, 0x520000000200, 0x520000000fff, 0x520000001000, 0x200, 0x5300000000ff };
	struct cbpf_insn *insn = calloc(CBPF_INSNS_MAX, sizeof(*insn));
	u16 work[4 * LENGTH_MAX + 64];
	u32 length = cbpf_exempt(insn, code->insn, code->length, &trusted);

	assert_true(length <= ARRAY_SIZE(work) && cbpf_check(insn, length, work));
	for (u32 i = 0; i < ARRAY_SIZE(ips); i++) {
		struct cbpf_data data = { .nr = (s32)any(4), .arch = any(4), .ip = ips[i] };
		bool exempt = i == 0 || i == 2, constant;
		u32 value = cbpf_run(insn, &data, &constant);

		assert_int_equal(value, exempt ? SECCOMP_RET_ALLOW : cbpf_run(code->insn, &data, &constant));
	}
	free(insn);
}

static void test_exempts_who_is_trusted_and_nobody_else(void **state)
{
	struct code code;

	(void)state;
	random_state = 11;
	for (u32 i = 0; i < PROGRAMS; i++) {
		any_program(&code);
		if (accepts(&code))
			compare_exempted(&code);
	}
}

/* A call that is allowed by its number stays one that the kernel need not look at. */
static void test_exempting_keeps_what_is_constant(void **state)
{
	static const struct cbpf_insn insn[] = { { BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
						 { BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 3 },
						 { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
						 { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS } };
	static const struct cbpf_trusted trusted = { 0x520000000000, 0x1000, 0x200 };
	struct cbpf_insn to[64];
	struct cbpf_data data = { .nr = 3 };
	bool constant = false;

	(void)state;
	assert_int_equal(cbpf_exempt(to, insn, ARRAY_SIZE(insn), &trusted), ARRAY_SIZE(insn) + 7);
	assert_int_equal(cbpf_run(to, &data, &constant), SECCOMP_RET_ALLOW);
	assert_true(constant);
	data.nr = 4;
	assert_int_equal(cbpf_run(to, &data, &constant), SECCOMP_RET_KILL_PROCESS);
	assert_false(constant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_what_the_kernel_takes),
		cmocka_unit_test(test_returns_what_the_kernel_returns),
		cmocka_unit_test(test_exempts_who_is_trusted_and_nobody_else),
		cmocka_unit_test(test_exempting_keeps_what_is_constant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of a cage, executed here as the kernel would: by number, by architecture, and by arguments, of which only the low half counts. */
#include "unit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "cage/cage_seccomp.h"

#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define HIGH (UINT64_C(1) << 32)

static struct sock_filter program[CAGE_SECCOMP_MAX];
static int length;

/* What the program says of a call. */
static u32 ask(const struct seccomp_data *data)
{
	u32 a = 0;

	for (int at = 0; at < length; at++) {
		const struct sock_filter *insn = &program[at];

		switch (insn->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(insn->k <= sizeof(*data) - 4 && insn->k % 4 == 0);
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= insn->k;
			break;
		case BPF_JMP | BPF_JA:
			at += (int)insn->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= insn->k ? insn->jt : insn->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += a & insn->k ? insn->jt : insn->jf;
			break;
		case BPF_RET | BPF_K:
			return insn->k;
		default:
			fail_msg("instruction %d has code %x", at, insn->code);
		}
	}
	fail_msg("the program ends without an answer");
	return 0;
}

static u32 call(int nr, u64 first, u64 second, u64 third, u64 fifth)
{
	struct seccomp_data data = { .nr = nr, .arch = AUDIT_ARCH_X86_64, .args = { first, second, third, 0, fifth } };

	return ask(&data);
}

static void write_program(const struct cage_seccomp *spec)
{
	length = cage_seccomp_write(spec, program);
	assert_in_range(length, 1, CAGE_SECCOMP_MAX);
}

static struct cage_policy policy;

static void lists_by_number(void **state)
{
	const struct cage_seccomp spec = { .policy = &policy, .agent = -1 };

	(void)state;
	write_program(&spec);
	for (int nr = 0; nr < 1024; nr++)
		assert_int_not_equal(call(nr, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(call(SYS_read, 0, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_execve, 0, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_ptrace, 0, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_mount, 0, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_clone3, 0, 0, 0, 0), REFUSE(ENOSYS));
	assert_int_equal(call(SYS_chmod, 0, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_shmget, 0, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(500, 0, 0, 0, 0), REFUSE(ENOSYS));
	assert_int_equal(call(-1, 0, 0, 0, 0), REFUSE(ENOSYS));
	assert_int_equal(call((int)(0x40000000u | SYS_read), 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&(struct seccomp_data){ .nr = 3, .arch = AUDIT_ARCH_I386 }), SECCOMP_RET_KILL_PROCESS);
}

static void looks_at_low_halves(void **state)
{
	const struct cage_seccomp spec = { .policy = &policy, .agent = 1000 };

	(void)state;
	write_program(&spec);
	assert_int_equal(call(SYS_ioctl, 0, 0x5401, 0, 0), ALLOW);
	assert_int_equal(call(SYS_ioctl, 0, 0x5412, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_ioctl, 0, HIGH | 0x5412, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_ioctl, 0, HIGH | 0x541c, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_clone, 17, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_clone, 0x10000000 | 17, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_memfd_create, 0, 1, 0, 0), REFUSE(EACCES));
	assert_int_equal(call(SYS_memfd_create, 0, 8, 0, 0), ALLOW);
	assert_int_equal(call(SYS_execveat, 5, 0, 0, 0x1000), REFUSE(EACCES));
	assert_int_equal(call(SYS_execveat, 5, 0, 0, HIGH | 0x1000), REFUSE(EACCES));
	assert_int_equal(call(SYS_execveat, 5, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_execveat, 1000, 0, 0, 0x1000), ALLOW);
	assert_int_equal(call(SYS_setpriority, 0, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_setpriority, 0, 1, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_setpriority, 2, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_prlimit64, 0, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_prlimit64, 1, 0, 0, 0), REFUSE(EPERM));
}

static void knows_sockets(void **state)
{
	struct cage_seccomp spec = { .policy = &policy, .agent = -1 };

	(void)state;
	write_program(&spec);
	assert_int_equal(call(SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0), REFUSE(EACCES));
	assert_int_equal(call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0), REFUSE(EAFNOSUPPORT));
	assert_int_equal(call(SYS_socket, HIGH | AF_UNIX, SOCK_STREAM, 0, 0), REFUSE(EACCES));
	assert_int_equal(call(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, 0), ALLOW);
	assert_int_equal(call(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, 0), REFUSE(EACCES));
	assert_int_equal(call(SYS_socketpair, AF_UNIX, SOCK_RAW, 0, 0), REFUSE(EACCES));
	spec.internet = spec.local = spec.netlink = true;
	write_program(&spec);
	assert_int_equal(call(SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0), ALLOW);
	assert_int_equal(call(SYS_socket, AF_INET6, SOCK_DGRAM, 0, 0), ALLOW);
	assert_int_equal(call(SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0), ALLOW);
	assert_int_equal(call(SYS_socket, AF_NETLINK, SOCK_RAW, 12, 0), REFUSE(EAFNOSUPPORT));
	assert_int_equal(call(SYS_socket, AF_PACKET, SOCK_RAW, 0, 0), REFUSE(EAFNOSUPPORT));
	assert_int_equal(call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, 0), ALLOW);
}

static void follows_the_policy(void **state)
{
	const char *allowed[] = { "chroot", NULL }, *denied[] = { "getppid", NULL };
	struct cage_policy with = { .processes = { .allow = { allowed, 1 }, .deny = { denied, 1 } } };
	const struct cage_seccomp spec = { .policy = &with, .attributes = true, .ipc = true, .agent = -1 };

	(void)state;
	write_program(&spec);
	assert_int_equal(call(SYS_chroot, 0, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_getppid, 0, 0, 0, 0), REFUSE(EPERM));
	assert_int_equal(call(SYS_chmod, 0, 0, 0, 0), ALLOW);
	assert_int_equal(call(SYS_shmget, 0, 0, 0, 0), ALLOW);
	assert_true(cage_seccomp_number("no_such_call") < 0);
}

/* In a namespace of its own what fails there has failed by the kernel's rules, and is no denial. */
static void ipc_is_refused_without_a_namespace(void **state)
{
	u64 with[CAGE_SECCOMP_NUMBERS / 64] = { 0 }, without[CAGE_SECCOMP_NUMBERS / 64] = { 0 };

	(void)state;
	cage_seccomp_refused(&policy, CAGE_ATTRIBUTES_ALLOWED, true, with);
	cage_seccomp_refused(&policy, CAGE_ATTRIBUTES_ALLOWED, false, without);
	assert_true(without[SYS_shmget / 64] >> (SYS_shmget % 64) & 1);
	assert_false(with[SYS_shmget / 64] >> (SYS_shmget % 64) & 1);
	assert_true(with[SYS_ptrace / 64] >> (SYS_ptrace % 64) & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_by_number),
		cmocka_unit_test(looks_at_low_halves),
		cmocka_unit_test(knows_sockets),
		cmocka_unit_test(follows_the_policy),
		cmocka_unit_test(ipc_is_refused_without_a_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

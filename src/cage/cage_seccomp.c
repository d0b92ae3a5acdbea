// SPDX-License-Identifier: Apache-2.0
/*
 * From the list of system calls to a filter:
 *
 *   other architecture, x32 → kill       number ≥ CAGE_SECCOMP_NUMBERS → ENOSYS       binary search over runs of numbers with the same rule
 *   a run's leaf: return the action, or jump to the rule's block, which looks at arguments
 *
 * A call that is allowed by number alone leaves without a look at anything else, which the kernel then caches.
 */
#include "cage/cage_seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32_BIT 0x40000000u
#define NUMBER_KNOWN 469u /* the last that was known: file_setattr, Linux 6.17 */

/* linux/fs.h, asm/ioctls.h: without their types */
#define FS_SETFLAGS 0x40086602u
#define FS_SETFLAGS_32 0x40046602u
#define FS_FSSETXATTR 0x401c5820u
#define TIOCSTI_ 0x5412u
#define TIOCLINUX_ 0x541cu
#define NOEXEC_SEAL 8u /* MFD_NOEXEC_SEAL */
#define EMPTY_PATH 0x1000u
#define IO_PRIORITY_USER 3u /* IOPRIO_WHO_USER */
#define NEW_NAMESPACES \
	((u32)CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

enum rule {
	RULE_UNKNOWN, /* ENOSYS */
	RULE_REFUSED, /* EPERM */
	RULE_ALLOW,
	RULE_NOSYS,
	RULE_NOT_SUPPORTED, /* EOPNOTSUPP */
	RULE_CLONE,         /* from here on: blocks */
	RULE_IOCTL,
	RULE_MEMFD,
	RULE_EXECVEAT,
	RULE_SOCKET,
	RULE_PAIR,
	RULE_PERSONALITY,
	RULE_FIRST_SELF,
	RULE_PRIORITY,
	RULE_IO_PRIORITY,
	RULE_MKNOD,
	RULE_MKNODAT,
	RULE_COUNT,
	RULE_IPC, /* become one of the first */
	RULE_ATTRIBUTE,
	RULE_EXTENDED,
};

static const struct {
	char name[24];
	u16 number, rule;
} calls[] = {
#define CAGE_CALL(name, number, rule) { #name, number, RULE_##rule },
#include "cage/cage_calls.def"
#undef CAGE_CALL
};

int cage_seccomp_number(const char *name)
{
	int number;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].number;
	number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);
	return number >= 0 && number < (int)CAGE_SECCOMP_NUMBERS ? number : -ENOSYS;
}

static u8 decide(const struct cage_seccomp *spec, u16 rule)
{
	if (rule == RULE_IPC)
		return spec->ipc ? RULE_ALLOW : RULE_REFUSED;
	if (rule == RULE_ATTRIBUTE)
		return spec->attributes != CAGE_ATTRIBUTES_REFUSED ? RULE_ALLOW : RULE_REFUSED;
	if (rule == RULE_EXTENDED)
		return spec->attributes == CAGE_ATTRIBUTES_ALLOWED ? RULE_ALLOW : RULE_NOT_SUPPORTED;
	if (rule == RULE_PAIR && spec->local)
		return RULE_ALLOW;
	return (u8)rule;
}

static void set_words(u8 rules[CAGE_SECCOMP_NUMBERS], const struct cage_words *words, u8 rule)
{
	for (size_t i = 0; i < words->count; i++) {
		int number = cage_seccomp_number(words->word[i]);

		if (number >= 0)
			rules[number] = rule;
	}
}

static void make_rules(const struct cage_seccomp *spec, u8 rules[CAGE_SECCOMP_NUMBERS])
{
	for (u32 i = 0; i < CAGE_SECCOMP_NUMBERS; i++)
		rules[i] = i <= NUMBER_KNOWN && !(i > 335 && i < 424) ? RULE_REFUSED : RULE_UNKNOWN; /* 335 to 423 are no calls */
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		rules[calls[i].number] = decide(spec, calls[i].rule);
	set_words(rules, &spec->policy->processes.allow, RULE_ALLOW);
	set_words(rules, &spec->policy->processes.deny, RULE_REFUSED);
}

/* --- the program -------------------------------------------------------------------------------------------------------------------------- */

struct code {
	struct sock_filter *insn;
	u32 length;
};

/* Numbers from `first` on. */
struct run {
	u32 first, jump; /* of its unconditional jump; 0: it returns */
	u8 rule;
};

static void emit(struct code *code, u16 op, u32 k, u8 jt, u8 jf)
{
	if (code->length < CAGE_SECCOMP_MAX)
		code->insn[code->length] = (struct sock_filter){ op, jt, jf, k };
	code->length++;
}

static void answer(struct code *code, u32 action)
{
	emit(code, BPF_RET | BPF_K, action, 0, 0);
}

static void refuse(struct code *code, u32 error)
{
	answer(code, SECCOMP_RET_ERRNO | error);
}

/* The low half of an argument: little endian. */
static void load_argument(struct code *code, u32 n)
{
	emit(code, BPF_LD | BPF_W | BPF_ABS, (u32)(offsetof(struct seccomp_data, args) + 8 * n), 0, 0);
}

static void allow_if(struct code *code, u32 value)
{
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	answer(code, SECCOMP_RET_ALLOW);
}

static void refuse_if(struct code *code, u32 value, u32 error)
{
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	refuse(code, error);
}

/* Allowed if a bit of the mask is set in the argument (or: is not). */
static void by_bits(struct code *code, u32 argument, u32 mask, bool wanted, u32 error)
{
	load_argument(code, argument);
	emit(code, BPF_JMP | BPF_JSET | BPF_K, mask, wanted ? 0 : 1, wanted ? 1 : 0);
	answer(code, SECCOMP_RET_ALLOW);
	refuse(code, error);
}

static void emit_socket(struct code *code, const struct cage_seccomp *spec)
{
	load_argument(code, 0);
	if (spec->internet) {
		allow_if(code, AF_INET);
		allow_if(code, AF_INET6);
	}
	if (spec->local)
		allow_if(code, AF_UNIX);
	else
		refuse_if(code, AF_UNIX, EACCES);
	if (spec->netlink) {
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3);
		load_argument(code, 2);
		allow_if(code, 0); /* NETLINK_ROUTE */
	}
	refuse(code, EAFNOSUPPORT);
}

static void emit_ioctl(struct code *code, const struct cage_seccomp *spec)
{
	load_argument(code, 1);
	refuse_if(code, TIOCSTI_, EPERM);
	refuse_if(code, TIOCLINUX_, EPERM);
	if (spec->attributes != CAGE_ATTRIBUTES_ALLOWED) {
		refuse_if(code, FS_SETFLAGS, EPERM);
		refuse_if(code, FS_SETFLAGS_32, EPERM);
		refuse_if(code, FS_FSSETXATTR, EPERM);
	}
	answer(code, SECCOMP_RET_ALLOW);
}

static void emit_execveat(struct code *code, const struct cage_seccomp *spec)
{
	if (spec->agent >= 0) {
		load_argument(code, 0);
		allow_if(code, (u32)spec->agent);
	}
	by_bits(code, 4, EMPTY_PATH, false, EACCES);
}

static void emit_block(struct code *code, enum rule rule, const struct cage_seccomp *spec)
{
	static const u32 personalities[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

	switch (rule) {
	case RULE_CLONE:
		by_bits(code, 0, NEW_NAMESPACES, false, EPERM);
		break;
	case RULE_IOCTL:
		emit_ioctl(code, spec);
		break;
	case RULE_MEMFD:
		by_bits(code, 1, NOEXEC_SEAL, true, EACCES);
		break;
	case RULE_EXECVEAT:
		emit_execveat(code, spec);
		break;
	case RULE_SOCKET:
		emit_socket(code, spec);
		break;
	case RULE_PAIR:
		load_argument(code, 1);
		emit(code, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* SOCK_TYPE_MASK */
		allow_if(code, SOCK_STREAM);
		allow_if(code, SOCK_SEQPACKET);
		refuse(code, EACCES); /* SOCK_RAW is one of datagrams, too */
		break;
	case RULE_PERSONALITY:
		load_argument(code, 0);
		for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
			allow_if(code, personalities[i]);
		refuse(code, EPERM);
		break;
	case RULE_PRIORITY:
	case RULE_IO_PRIORITY:
		load_argument(code, 0);
		refuse_if(code, rule == RULE_PRIORITY ? PRIO_USER : IO_PRIORITY_USER, EPERM); /* all processes of the user */
		load_argument(code, 1);
		allow_if(code, 0);
		refuse(code, EPERM);
		break;
	case RULE_MKNOD:
	case RULE_MKNODAT:
		load_argument(code, rule == RULE_MKNOD ? 1 : 2);
		emit(code, BPF_ALU | BPF_AND | BPF_K, S_IFMT, 0, 0);
		refuse_if(code, S_IFBLK, EPERM); /* who can make a device can read the machine's disks */
		refuse_if(code, S_IFCHR, EPERM);
		answer(code, SECCOMP_RET_ALLOW);
		break;
	case RULE_FIRST_SELF:
		load_argument(code, 0);
		allow_if(code, 0);
		refuse(code, EPERM);
		break;
	default:
		break;
	}
}

static void emit_leaf(struct code *code, struct run *run)
{
	switch (run->rule) {
	case RULE_ALLOW:
		answer(code, SECCOMP_RET_ALLOW);
		return;
	case RULE_REFUSED:
		refuse(code, EPERM);
		return;
	case RULE_UNKNOWN:
	case RULE_NOSYS:
		refuse(code, ENOSYS);
		return;
	case RULE_NOT_SUPPORTED: /* as file systems say that have none, on which programs go on without */
		refuse(code, EOPNOTSUPP);
		return;
	default:
		run->jump = code->length;
		emit(code, BPF_JMP | BPF_JA, 0, 0, 0);
	}
}

static void emit_search(struct code *code, struct run *runs, u32 count)
{
	u32 half = count / 2, branch;

	if (count == 1) {
		emit_leaf(code, runs);
		return;
	}
	emit(code, BPF_JMP | BPF_JGE | BPF_K, runs[half].first, 0, 1);
	branch = code->length;
	emit(code, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_search(code, runs, half);
	if (branch < CAGE_SECCOMP_MAX)
		code->insn[branch].k = code->length - branch - 1;
	emit_search(code, runs + half, count - half);
}

static void emit_head(struct code *code)
{
	emit(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	answer(code, SECCOMP_RET_KILL_PROCESS);
	emit(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	emit(code, BPF_JMP | BPF_JGE | BPF_K, CAGE_SECCOMP_NUMBERS, 0, 5);
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 0, 1); /* what strace and gdb make of a call that they take away */
	refuse(code, ENOSYS);
	emit(code, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
	answer(code, SECCOMP_RET_KILL_PROCESS);
	refuse(code, ENOSYS);
}

int cage_seccomp_write(const struct cage_seccomp *spec, struct sock_filter program[CAGE_SECCOMP_MAX])
{
	struct code code = { .insn = program };
	u8 rules[CAGE_SECCOMP_NUMBERS];
	struct run runs[CAGE_SECCOMP_NUMBERS];
	u32 count = 0;

	make_rules(spec, rules);
	for (u32 i = 0; i < CAGE_SECCOMP_NUMBERS; i++)
		if (!i || rules[i] != rules[i - 1])
			runs[count++] = (struct run){ .first = i, .rule = rules[i] };
	emit_head(&code);
	emit_search(&code, runs, count);
	for (enum rule rule = RULE_CLONE; rule < RULE_COUNT; rule++) {
		u32 block = code.length;

		for (u32 i = 0; i < count; i++)
			if (runs[i].jump && runs[i].rule == rule && runs[i].jump < CAGE_SECCOMP_MAX)
				program[runs[i].jump].k = block - runs[i].jump - 1;
		emit_block(&code, rule, spec);
	}
	return code.length <= CAGE_SECCOMP_MAX ? (int)code.length : -E2BIG;
}

int cage_seccomp_install(const struct cage_seccomp *spec)
{
	struct sock_fprog program = { .filter = calloc(CAGE_SECCOMP_MAX, sizeof(struct sock_filter)) };
	int r = program.filter ? cage_seccomp_write(spec, program.filter) : -ENOMEM;

	if (r > 0) {
		program.len = (unsigned short)r;
		r = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
	}
	free(program.filter);
	return r;
}

void cage_seccomp_refused(const struct cage_policy *policy, enum cage_attributes attributes, bool ipc,
			  u64 numbers[CAGE_SECCOMP_NUMBERS / 64])
{
	struct cage_seccomp spec = { .policy = policy, .attributes = attributes, .ipc = ipc, .agent = -1 };
	u8 rules[CAGE_SECCOMP_NUMBERS];

	make_rules(&spec, rules);
	for (u32 i = 0; i < CAGE_SECCOMP_NUMBERS; i++)
		if (rules[i] != RULE_ALLOW && rules[i] != RULE_NOSYS && rules[i] != RULE_UNKNOWN)
			numbers[i / 64] |= UINT64_C(1) << (i % 64);
}

void cage_seccomp_unlisted(const struct cage_policy *policy, bool ipc, u64 numbers[CAGE_SECCOMP_NUMBERS / 64])
{
	struct cage_seccomp spec = { .policy = policy, .attributes = CAGE_ATTRIBUTES_ALLOWED, .ipc = ipc, .agent = -1 };
	u8 rules[CAGE_SECCOMP_NUMBERS];

	make_rules(&spec, rules);
	for (u32 i = 0; i < CAGE_SECCOMP_NUMBERS; i++)
		if (rules[i] == RULE_REFUSED)
			numbers[i / 64] |= UINT64_C(1) << (i % 64);
}

// SPDX-License-Identifier: Apache-2.0
/* Filters of system calls, from the runtime specification to a program of the kernel's. */
#include "oci/oci_seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_spec_read.h"

#define ARGUMENTS 6
#define INSTRUCTIONS_MAX 4096 /* BPF_MAXINSNS */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct {
	char name[24];
	u32 action;
} actions[] = { { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP } };

static const struct {
	char name[24];
	enum scmp_compare operator;
} operators[] = { { "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		  { "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
		  { "SCMP_CMP_NE", SCMP_CMP_NE } };

static const struct {
	char name[24];
	u32 arch;
} archs[] = { { "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	      { "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	      { "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	      { "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	      { "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	      { "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	      { "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	      { "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	      { "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	      { "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	      { "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	      { "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	      { "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	      { "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	      { "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	      { "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	      { "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 } };

static const struct {
	char name[40];
	u32 flag;
} flags[] = { { "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	      { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	      { "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC } };

const char *oci_seccomp_action_name(size_t index)
{
	return index < ARRAY_SIZE(actions) ? actions[index].name : NULL;
}

const char *oci_seccomp_operator_name(size_t index)
{
	return index < ARRAY_SIZE(operators) ? operators[index].name : NULL;
}

const char *oci_seccomp_arch_name(size_t index)
{
	return index < ARRAY_SIZE(archs) ? archs[index].name : NULL;
}

const char *oci_seccomp_flag_name(size_t index)
{
	return index < ARRAY_SIZE(flags) ? flags[index].name : NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------------ */

static u32 read_action(struct oci_reader *r, json_t *from, const char *name, const char *number_name)
{
	const char *text = oci_read_needed(r, from, name);
	u64 number = EPERM;

	(void)oci_read_u64(r, from, number_name, &number);
	for (size_t i = 0; i < ARRAY_SIZE(actions) && !r->status; i++)
		if (strcmp(actions[i].name, text) == 0)
			return actions[i].action | (actions[i].action == SCMP_ACT_ERRNO(0) || actions[i].action == SCMP_ACT_TRACE(0)
							    ? (u32)number & 0xffff
							    : 0);
	oci_read_wrong(r, "config: seccomp action '%s' is not supported", text);
	return SCMP_ACT_KILL_PROCESS;
}

static struct scmp_arg_cmp read_argument(struct oci_reader *r, json_t *row)
{
	const char *text = oci_read_needed(r, row, "op");
	struct scmp_arg_cmp test = { .arg = oci_read_u32(r, row, "index") };
	u64 value = 0, two = 0;

	(void)oci_read_u64(r, row, "value", &value);
	(void)oci_read_u64(r, row, "valueTwo", &two);
	if (test.arg >= ARGUMENTS)
		oci_read_wrong(r, "config: seccomp: no system call has an argument %u", test.arg);
	test.datum_a = value;
	test.datum_b = two;
	for (size_t i = 0; i < ARRAY_SIZE(operators) && !r->status; i++) {
		if (strcmp(operators[i].name, text) != 0)
			continue;
		test.op = operators[i].operator;
		return test;
	}
	oci_read_wrong(r, "config: seccomp operator '%s' is not supported", text);
	return test;
}

/* Several tests of one argument mean 'or', of several arguments 'and': as runc has it. */
static int add_rules(scmp_filter_ctx filter, u32 action, int number, const struct scmp_arg_cmp *tests, unsigned count)
{
	u32 seen = 0;
	bool twice = false;
	int r = 0;

	for (unsigned i = 0; i < count; i++) {
		twice |= (seen >> tests[i].arg & 1) != 0;
		seen |= 1u << tests[i].arg;
	}
	if (!twice)
		return seccomp_rule_add_array(filter, action, number, count, tests);
	for (unsigned i = 0; i < count && r == 0; i++)
		r = seccomp_rule_add_array(filter, action, number, 1, &tests[i]);
	return r;
}

static void add_row(struct oci_reader *r, scmp_filter_ctx filter, json_t *row, u32 default_action)
{
	u32 action = read_action(r, row, "action", "errnoRet");
	json_t *arguments = oci_read_array(r, row, "args");
	const char **names = oci_read_texts(r, row, "names");
	struct scmp_arg_cmp tests[ARGUMENTS];
	unsigned count = 0;

	if (json_array_size(arguments) > ARGUMENTS)
		oci_read_wrong(r, "config: seccomp: a rule with more than %d tests", ARGUMENTS);
	for (size_t i = 0; i < json_array_size(arguments) && !r->status; i++)
		tests[count++] = read_argument(r, json_array_get(arguments, i));
	for (size_t i = 0; names && names[i] && !r->status && action != default_action; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		int error = number == __NR_SCMP_ERROR ? 0 : add_rules(filter, action, number, tests, count);

		if (error < 0)
			oci_read_wrong(r, "config: seccomp: a rule for %s: %s", names[i], strerror(-error));
	}
	free((void *)names);
}

static void add_archs(struct oci_reader *r, scmp_filter_ctx filter, json_t *seccomp)
{
	const char **names = oci_read_texts(r, seccomp, "architectures");

	for (size_t i = 0; names && names[i] && !r->status; i++) {
		size_t at = 0;
		int error = -EINVAL;

		while (at < ARRAY_SIZE(archs) && strcmp(archs[at].name, names[i]) != 0)
			at++;
		if (at < ARRAY_SIZE(archs))
			error = seccomp_arch_add(filter, archs[at].arch);
		if (error < 0 && error != -EEXIST)
			oci_read_wrong(r, "config: seccomp architecture '%s' is not supported", names[i]);
	}
	free((void *)names);
}

static u32 read_flags(struct oci_reader *r, json_t *seccomp)
{
	const char **names = oci_read_texts(r, seccomp, "flags");
	u32 all = 0;

	for (size_t i = 0; names && names[i]; i++) {
		size_t at = 0;

		while (at < ARRAY_SIZE(flags) && strcmp(flags[at].name, names[i]) != 0)
			at++;
		if (at == ARRAY_SIZE(flags))
			oci_read_wrong(r, "config: seccomp flag '%s' is not supported", names[i]);
		else
			all |= flags[at].flag;
	}
	free((void *)names);
	return all;
}

/* --- the program -------------------------------------------------------------------------------------------------------------------------- */

static int export(scmp_filter_ctx filter, struct oci_seccomp *ret)
{
	CLEANUP_FD int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct stat st;
	int r = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > (off_t)(INSTRUCTIONS_MAX * sizeof(struct sock_filter)))
		return -E2BIG;
	ret->program = malloc((size_t)st.st_size);
	ret->length = (u16)((size_t)st.st_size / sizeof(struct sock_filter));
	if (!ret->program)
		return -ENOMEM;
	return pread(fd, ret->program, (size_t)st.st_size, 0) == st.st_size ? 0 : -EIO;
}

int oci_seccomp_compile(json_t *seccomp, struct oci_seccomp *ret, struct oci_error *error)
{
	struct oci_reader r = { .error = error };
	json_t *rows = oci_read_array(&r, seccomp, "syscalls");
	u32 action = seccomp ? read_action(&r, seccomp, "defaultAction", "defaultErrnoRet") : 0;
	scmp_filter_ctx filter = seccomp && !r.status ? seccomp_init(action) : NULL;
	int exported;

	*ret = (struct oci_seccomp){ 0 };
	if (!seccomp || r.status)
		return r.status;
	if (!filter)
		return oci_fail(error, -ENOMEM, "out of memory");
	add_archs(&r, filter, seccomp);
	ret->flags = read_flags(&r, seccomp);
	for (size_t i = 0; i < json_array_size(rows) && !r.status; i++)
		add_row(&r, filter, json_array_get(rows, i), action);
	exported = r.status ? 0 : export(filter, ret);
	if (exported < 0)
		r.status = oci_fail(error, exported, "config: seccomp: %s", strerror(-exported));
	seccomp_release(filter);
	return r.status;
}

int oci_seccomp_install(const struct oci_seccomp *seccomp)
{
	struct sock_fprog program = { .len = seccomp->length, .filter = seccomp->program };

	if (!seccomp->program)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, seccomp->flags, &program) == 0)
		return 0;
	return errno == ENOSYS && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : -errno;
}

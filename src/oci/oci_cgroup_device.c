// SPDX-License-Identifier: Apache-2.0
/*
 * linux.resources.devices: which devices the processes of a container may open and make. The rules count in their order, a later one over an earlier one;
 * what every container has (config-linux.md, "Default Devices") comes last. v1: each is written to devices.allow or devices.deny. v2: they become one
 * program of type BPF_PROG_TYPE_CGROUP_DEVICE, which looks at them from the last to the first.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_spec_read.h"

#define RULES_MAX 256
#define RULE_INSTRUCTIONS 7 /* at most: bpf_rule() */
#define ANY (-1)

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which the spec writes them */
struct rule {
	bool allow;
	char type; /* 'a', 'b', 'c' */
	s64 major, minor;
	char access[4]; /* of "rwm" */
};

static const struct rule defaults[] = {
	{ true, 'c', ANY, ANY, "m" },   { true, 'b', ANY, ANY, "m" }, { true, 'c', 1, 3, "rwm" }, { true, 'c', 1, 8, "rwm" },
	{ true, 'c', 1, 7, "rwm" },     { true, 'c', 5, 0, "rwm" },   { true, 'c', 1, 5, "rwm" }, { true, 'c', 1, 9, "rwm" },
	{ true, 'c', 136, ANY, "rwm" }, { true, 'c', 5, 2, "rwm" },   { true, 'c', 5, 1, "rwm" },
};

static s64 number_of(struct oci_reader *r, json_t *row, const char *name)
{
	s64 number = ANY;

	(void)oci_read_s64(r, row, name, &number);
	return number < 0 ? ANY : number;
}

static void read_rule(struct oci_reader *r, json_t *row, struct rule *rule)
{
	const char *type = oci_read_text(r, row, "type"), *access = oci_read_text(r, row, "access");

	rule->allow = oci_read_bool(r, row, "allow");
	rule->type = type && *type ? *type : 'a';
	rule->major = number_of(r, row, "major");
	rule->minor = number_of(r, row, "minor");
	if (rule->type == 'u')
		rule->type = 'c';
	access = access && *access ? access : "rwm";
	if (!strchr("abc", rule->type) || strlen(access) > 3 || access[strspn(access, "rwm")])
		oci_read_wrong(r, "config: invalid rule for devices");
	else
		(void)snprintf(rule->access, sizeof(rule->access), "%s", access);
}

/* --- v1 ----------------------------------------------------------------------------------------------------------------------------------- */

static int write_rule(const char *dir, const struct rule *rule, struct oci_error *error)
{
	char major[24] = "*", minor[24] = "*", text[80];
	int r;

	if (rule->major >= 0)
		(void)snprintf(major, sizeof(major), "%lld", (long long)rule->major);
	if (rule->minor >= 0)
		(void)snprintf(minor, sizeof(minor), "%lld", (long long)rule->minor);
	(void)snprintf(text, sizeof(text), "%c %s:%s %s", rule->type, major, minor, rule->access);
	r = oci_cgroup_write(dir, rule->allow ? "devices.allow" : "devices.deny", text);
	if (r < 0)
		return oci_fail(error, r, "%s/devices.%s: '%s': %s", dir, rule->allow ? "allow" : "deny", text, strerror(-r));
	return 0;
}

/* --- v2 ----------------------------------------------------------------------------------------------------------------------------------- */

#define LOAD(to, field)                                                                   \
	{                                                                                 \
		.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = BPF_REG_1, \
		.off = offsetof(struct bpf_cgroup_dev_ctx, field)                         \
	}
#define MOVE(to, from)                                                                \
	{                                                                             \
		.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) \
	}
#define SET(to, value)                                                             \
	{                                                                          \
		.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value) \
	}
#define AND(to, value)                                                             \
	{                                                                          \
		.code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = (to), .imm = (value) \
	}
#define SHIFT(to, value)                                                           \
	{                                                                          \
		.code = BPF_ALU | BPF_RSH | BPF_K, .dst_reg = (to), .imm = (value) \
	}
#define SKIP_UNLESS(reg, value, count)                                                                     \
	{                                                                                                  \
		.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = (reg), .imm = (value), .off = (s16)(count) \
	}
#define SKIP_IF(reg, value, count)                                                                         \
	{                                                                                                  \
		.code = BPF_JMP32 | BPF_JEQ | BPF_K, .dst_reg = (reg), .imm = (value), .off = (s16)(count) \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}
enum { TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5, SCRATCH = BPF_REG_6, RESULT = BPF_REG_0 };

static s32 access_bits(const struct rule *rule)
{
	return (strchr(rule->access, 'r') ? BPF_DEVCG_ACC_READ : 0) | (strchr(rule->access, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
	       (strchr(rule->access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* An allowed access is one of which nothing is outside the rule's; a denied one has something in common with it. Returns how many. */
static size_t bpf_rule(const struct rule *rule, struct bpf_insn *to)
{
	size_t n = 0, tests = (rule->type != 'a') + (rule->major >= 0) + (rule->minor >= 0), left = tests + 5;
	s32 bits = access_bits(rule);

	if (rule->type != 'a')
		to[n++] = (struct bpf_insn)SKIP_UNLESS(TYPE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, --left);
	if (rule->major >= 0)
		to[n++] = (struct bpf_insn)SKIP_UNLESS(MAJOR, (s32)rule->major, --left);
	if (rule->minor >= 0)
		to[n++] = (struct bpf_insn)SKIP_UNLESS(MINOR, (s32)rule->minor, --left);
	to[n++] = (struct bpf_insn)MOVE(SCRATCH, ACCESS);
	to[n++] = (struct bpf_insn)AND(SCRATCH, rule->allow ? ~bits : bits);
	if (rule->allow)
		to[n++] = (struct bpf_insn)SKIP_UNLESS(SCRATCH, 0, 2);
	else
		to[n++] = (struct bpf_insn)SKIP_IF(SCRATCH, 0, 2);
	to[n++] = (struct bpf_insn)SET(RESULT, rule->allow);
	to[n++] = (struct bpf_insn)EXIT;
	return n;
}

static int bpf(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* The program stays with the cgroup as long as that is there. */
static int attach(const char *dir, const struct rule *rules, size_t count)
{
	struct bpf_insn program[RULES_MAX * (RULE_INSTRUCTIONS + 1) + 8] = { LOAD(TYPE, access_type), MOVE(ACCESS, TYPE),
									     SHIFT(ACCESS, 16),       AND(TYPE, 0xffff),
									     LOAD(MAJOR, major),      LOAD(MINOR, minor) };
	union bpf_attr attributes;
	size_t n = 6;
	CLEANUP_FD int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = FD_NONE;

	for (size_t i = count; i > 0; i--)
		n += bpf_rule(&rules[i - 1], program + n);
	program[n++] = (struct bpf_insn)SET(RESULT, 0);
	program[n++] = (struct bpf_insn)EXIT;
	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attributes.insns = (u64)(uintptr_t)program;
	attributes.insn_cnt = (u32)n;
	attributes.license = (u64)(uintptr_t) "Apache-2.0";
	fd = at < 0 ? -1 : bpf(BPF_PROG_LOAD, &attributes);
	if (fd < 0)
		return -errno;
	memset(&attributes, 0, sizeof(attributes));
	attributes.target_fd = (u32)at;
	attributes.attach_bpf_fd = (u32)fd;
	attributes.attach_type = BPF_CGROUP_DEVICE;
	attributes.attach_flags = BPF_F_ALLOW_MULTI;
	return bpf(BPF_PROG_ATTACH, &attributes) < 0 ? -errno : 0;
}

/* --- both --------------------------------------------------------------------------------------------------------------------------------- */

int oci_cgroup_devices(json_t *cgroup, json_t *rules, struct oci_notes *notes, struct oci_error *error)
{
	struct oci_reader r = { .error = error };
	struct rule all[RULES_MAX];
	size_t count = 0, given = json_array_size(rules);
	const char *v1 = json_string_value(json_object_get(cgroup, "devices")),
		   *v2 = json_string_value(json_object_get(cgroup, ""));
	int error_number;

	if (given > RULES_MAX - ARRAY_SIZE(defaults))
		return oci_fail(error, -E2BIG, "config: more than %zu rules for devices", RULES_MAX - ARRAY_SIZE(defaults));
	for (size_t i = 0; i < given; i++)
		read_rule(&r, json_array_get(rules, i), &all[count++]);
	memcpy(all + count, defaults, sizeof(defaults));
	count += ARRAY_SIZE(defaults);
	for (size_t i = 0; v1 && i < count && !r.status; i++)
		r.status = write_rule(v1, &all[i], error);
	if (r.status || v1)
		return r.status;
	error_number = v2 ? attach(v2, all, count) : -ENOENT;
	if (error_number < 0)
		oci_note(notes, "rules for devices are not enforced: %s",
			 v2 ? strerror(-error_number) : "this machine has no cgroup of devices");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf(2) as far as it is about devices of a group: in the unified hierarchy a program decides who opens what, loaded, attached and asked for by the
 * group's directory. Here it is taken and has no effect: a descriptor stands for the program, and a group has none attached when asked. What is about
 * anything else is the kernel's.
 */
#include "gaps/cgroup/cgroup_int.h"

enum { BPF_PROG_LOAD_ = 5, BPF_PROG_ATTACH_ = 8, BPF_PROG_DETACH_ = 9, BPF_PROG_QUERY_ = 16 };
#define TYPE_CGROUP_DEVICE 15u
#define ATTACH_CGROUP_DEVICE 6u
#define PROGRAM "cgroup-device-program"

/* Parts of union bpf_attr (linux/bpf.h). */
struct load {
	u32 type, count;
	u64 instructions, license;
};
struct attach {
	u32 target, program, type, flags, replaced;
};
struct query {
	u32 target, type, flags, attach_flags;
	u64 ids;
	u32 count;
};

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* Whether a descriptor is the directory of a group. */
static bool is_group(u32 fd)
{
	char link[AGENT_FD_LINK_SIZE], path[CG_HOST_SIZE];
	long n;

	agent_fd_link(link, fd);
	n = sys3(__NR_readlink, link, path, sizeof(path));
	return n > 0 && n < (long)sizeof(path) && cg_find(path, (u64)n) >= 0;
}

/* Whether it stands for a program. */
static bool is_program(u32 fd)
{
	static const char name[] = "/memfd:" PROGRAM;
	char link[AGENT_FD_LINK_SIZE], path[64];
	long n;

	agent_fd_link(link, fd);
	n = sys3(__NR_readlink, link, path, sizeof(path));
	return n >= (long)sizeof(name) - 1 && !memcmp(path, name, sizeof(name) - 1);
}

static enum verdict load(struct call *call)
{
	struct load attr;

	if (guest_read(&attr, call->arg[1], sizeof(attr)) < 0 || attr.type != TYPE_CGROUP_DEVICE)
		return CALL_PASS;
	if (!attr.count || !attr.instructions || !attr.license)
		return done(call, attr.count ? -EFAULT : -E2BIG);
	return done(call, vfile_open(PROGRAM, "", 0, CG_O_CLOEXEC));
}

static enum verdict attach(struct call *call)
{
	struct attach attr;

	if (guest_read(&attr, call->arg[1], sizeof(attr)) < 0 || attr.type != ATTACH_CGROUP_DEVICE || !is_group(attr.target))
		return CALL_PASS;
	return done(call, is_program(attr.program) || call->arg[0] == BPF_PROG_DETACH_ ? 0 : -EINVAL);
}

static enum verdict query(struct call *call)
{
	struct query attr;

	if (guest_read(&attr, call->arg[1], sizeof(attr)) < 0 || attr.type != ATTACH_CGROUP_DEVICE || !is_group(attr.target))
		return CALL_PASS;
	attr.attach_flags = attr.count = 0;
	return done(call, guest_write(call->arg[1], &attr, offsetof(struct query, count) + sizeof(attr.count)));
}

enum verdict cgroup_bpf(struct call *call)
{
	if (call->arg[2] < sizeof(struct attach))
		return CALL_PASS;
	switch (call->arg[0]) {
	case BPF_PROG_LOAD_:
		return load(call);
	case BPF_PROG_ATTACH_:
	case BPF_PROG_DETACH_:
		return attach(call);
	case BPF_PROG_QUERY_:
		return call->arg[2] < offsetof(struct query, count) + 4 ? CALL_PASS : query(call);
	default:
		return CALL_PASS;
	}
}

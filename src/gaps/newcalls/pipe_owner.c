/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fchown(2) and fchmod(2) of a pipe, which gVisor refuses with EPERM: containerd's shim and runc give a container's standard streams to its user. By
 * the rules of chown(2) and chmod(2); nothing is kept: fstat tells the old owner and mode, and nobody asks them of a pipe that is open already.
 */
#include "gaps/newcalls/newcalls_int.h"

#define S_IFIFO_ 0010000u
#define UNCHANGED 0xffffffffu

static bool refused(void)
{
	return commons()->refused & (1u << GAP_newcalls);
}

/* Whether a descriptor is of a pipe without a name. */
static bool is_pipe(s32 fd, struct kernel_stat *st)
{
	char link[AGENT_FD_LINK_SIZE], text[6] = "";

	if (sys2(__NR_fstat, fd, st) < 0 || (st->mode & S_IFMT_) != S_IFIFO_)
		return false;
	agent_fd_link(link, (u32)fd);
	return sys4(__NR_readlinkat, AT_FDCWD_, link, text, sizeof(text)) >= 5 && !memcmp(text, "pipe:", 5);
}

static bool may_give(const struct kernel_stat *st, u32 uid, u32 gid)
{
	struct agent_creds creds;

	if (uid == UNCHANGED && gid == UNCHANGED)
		return true;
	agent_creds_get(&creds);
	if (creds.euid == 0)
		return true;
	if (creds.euid != st->uid || (uid != UNCHANGED && uid != st->uid))
		return false;
	return gid == UNCHANGED || gid == st->gid || gid == creds.egid || agent_in_group(gid);
}

enum verdict newcalls_fchown(struct call *call)
{
	struct kernel_stat st;
	s32 fd = (s32)call->arg[0];
	long r;

	if (identity_on() || !is_pipe(fd, &st))
		return CALL_PASS;
	r = refused() ? -EPERM : sys3(__NR_fchown, fd, call->arg[1], call->arg[2]);
	if (r != -EPERM)
		return done(call, r);
	return done(call, may_give(&st, (u32)call->arg[1], (u32)call->arg[2]) ? 0 : -EPERM);
}

enum verdict newcalls_fchmod(struct call *call)
{
	struct agent_creds creds;
	struct kernel_stat st;
	s32 fd = (s32)call->arg[0];
	long r;

	if (identity_on() ||
	    !is_pipe(fd, &st)) /* identity keeps modes, of files as of pipes; a file may lie in a layer that is not to be changed */
		return CALL_PASS;
	r = refused() ? -EPERM : sys2(__NR_fchmod, fd, call->arg[1]);
	if (r != -EPERM)
		return done(call, r);
	agent_creds_get(&creds);
	return done(call, creds.euid == 0 || creds.euid == st.uid ? 0 : -EPERM);
}

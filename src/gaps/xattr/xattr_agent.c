/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap xattr, agent half: attributes trusted.* and security.* on file systems that do not take them. dockerd copies layers with
 * lgetxattr("security.capability"), and takes EOPNOTSUPP for a failure; what is absent is ENODATA here, everywhere.
 *
 * The host is asked first. What it does not keep is kept in attributes user.lichen.* of the same file (agent/kept_xattr.c), where the kernel would let the caller: trusted.* takes
 * CAP_SYS_ADMIN, security.capability CAP_SETFCAP. In a tree of the cell's own (--rootfs) the calls with a path are answered by agent/fs_look.c and
 * fs_change.c, which come here for the rest; where gap identity is filled, it is its identities that are asked.
 *
 * Limits:
 *   - What can have no user.* attribute, takes none: links, FIFOs, sockets, devices (EPERM), files of a file system that has no attributes at
 *     all (EOPNOTSUPP). Names are up to 243 bytes.
 *   - Capabilities of files have no effect, and are not removed when somebody writes to the file or gives it away.
 *   - Who may not read a file finds nothing that is kept.
 */
#include "agent/vfs.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/xattr/xattr.def"
#undef GAP_CALL

enum verdict xattr_named(struct call *call)
{
	char name[16]; /* enough to tell */
	long n = guest_read_string(name, call->arg[1], sizeof(name));

	if (n == -ENAMETOOLONG)
		name[sizeof(name) - 1] = 0;
	else if (n < 0)
		return CALL_PASS;
	if (!kept_xattr_name(name))
		return CALL_PASS;
	call->ret = kept_xattr(-1, call->nr, call->arg);
	return CALL_DONE;
}

enum verdict xattr_list(struct call *call)
{
	call->ret = kept_xattr(-1, call->nr, call->arg);
	return CALL_DONE;
}

enum verdict xattr_unknown(struct call *call)
{
	call->ret = -ENOSYS;
	return CALL_DONE;
}

GAP_NO_EVENTS(xattr)
VFS_NONE(xattr)

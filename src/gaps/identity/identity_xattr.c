/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes, as far as identity decides (xattr(7), xattr_permission() of fs/xattr.c): who may, and what lichen keeps for itself, which is
 * neither told nor changed. What they are kept as: agent/kept_xattr.c.
 */
#include "gaps/identity/identity_int.h"

#define KEPT "user.lichen."

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

bool identity_hides_xattr(const char *name)
{
	return !strcmp(name, IDENTITY_ATTRIBUTE) || begins(name, IDENTITY_NAME_PREFIX);
}

long identity_may_xattr(s32 fd, const char *name, u32 mask)
{
	const struct identity_cred *cred = identity_self();
	bool admin = identity_capable(cred, CAP_SYS_ADMIN_);
	long r;

	if (identity_hides_xattr(name) || begins(name, KEPT))
		return mask == 2 ? -EPERM : -ENODATA;
	if (begins(name, "trusted."))
		return !admin ? (mask == 2 ? -EPERM : -ENODATA) : name[8] ? 0 : -EINVAL;
	if (!strcmp(name, "security.capability"))
		return mask == 4 || identity_capable(cred, CAP_SETFCAP_) ? 0 : -EPERM;
	if (begins(name, "security."))
		return mask == 2 && !admin ? -EPERM : name[9] ? 0 : -EINVAL;
	r = begins(name, "system.") ? 0 : identity_may(fd, mask, false);
	return r == 0 && !strcmp(name, "user.") ? -EINVAL : r;
}

long identity_xattr(s32 fd, long nr, const u64 arg[6])
{
	char link[AGENT_FD_LINK_SIZE];
	u64 args[6];

	agent_fd_link(link, (u32)fd);
	memcpy(args, arg, sizeof(args));
	args[0] = (u64)link;
	return kept_xattr(fd, nr - (nr - __NR_setxattr) % 3, args);
}

enum verdict identity_fxattr(struct call *call)
{
	long r = identity_usable((u32)call->arg[0]);

	return identity_done(call, r < 0 ? r : identity_xattr((s32)call->arg[0], call->nr, call->arg));
}

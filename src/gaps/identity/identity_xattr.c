/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes (xattr(7), xattr_permission() of fs/xattr.c): trusted.NAME and security.NAME are kept as user.lichen.trusted.NAME and
 * user.lichen.security.NAME where the host's file can have user attributes; what lichen keeps for itself is neither told nor changed. What the host's own
 * file has in security.* can be read.
 */
#include "gaps/identity/identity_int.h"

#define NAME_SIZE 256u
#define KEPT "user.lichen."
#define KEPT_SIZE 12u
#define LINK_SIZE 32u

struct names {
	char asked[NAME_SIZE + KEPT_SIZE];
	char host[NAME_SIZE + KEPT_SIZE];
	bool changed; /* host is another one */
};

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

static bool is_ours(const char *name)
{
	return !strcmp(name, IDENTITY_ATTRIBUTE) || begins(name, KEPT);
}

static long read_names(u64 from, struct names *names)
{
	long n = guest_read_string(names->asked, from, NAME_SIZE);

	if (n <= 0)
		return n == -EFAULT ? n : -ERANGE;
	names->changed = begins(names->asked, "trusted.") || begins(names->asked, "security.");
	memcpy(names->host, KEPT, KEPT_SIZE);
	memcpy(names->host + (names->changed ? KEPT_SIZE : 0), names->asked, (u64)n + 1);
	return 0;
}

/* Whether the caller may get (4) or set (2) it. */
static long may(s32 fd, const char *name, u32 mask)
{
	const struct identity_cred *cred = identity_self();
	bool admin = identity_capable(cred, CAP_SYS_ADMIN_);
	long r;

	if (is_ours(name))
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

static long get(s32 fd, const char *link, const u64 *arg)
{
	struct names names;
	long r = read_names(arg[1], &names);

	if (r == 0)
		r = may(fd, names.asked, 4);
	if (r < 0)
		return r;
	r = sys4(__NR_getxattr, link, names.host, arg[2], arg[3]);
	if (names.changed && r == -ENODATA && begins(names.asked, "security.")) {
		r = sys4(__NR_getxattr, link, names.asked, arg[2], arg[3]);
		if (r < 0 && r != -ERANGE)
			r = -ENODATA;
	}
	return r;
}

/* Whether a value can be read, which the kernel does before it looks at the name. */
static long check_value(u64 from, u64 size)
{
	u8 byte;

	if (size > 65536)
		return -E2BIG;
	for (u64 at = 0; at < size; at += LAYOUT_PAGE)
		if (guest_read(&byte, from + at, 1) < 0)
			return -EFAULT;
	return size ? guest_read(&byte, from + size - 1, 1) : 0;
}

static long set(s32 fd, const char *link, const u64 *arg)
{
	struct names names;
	long r = read_names(arg[1], &names);

	if (r == 0 && (arg[4] & ~UINT64_C(3)))
		r = -EINVAL;
	if (r == 0)
		r = check_value(arg[2], arg[3]);
	if (r == 0)
		r = may(fd, names.asked, 2);
	if (r < 0)
		return r;
	r = sys5(__NR_setxattr, link, names.host, arg[2], arg[3], arg[4]);
	return r == -EACCES && identity_unlock(fd) ? sys5(__NR_setxattr, link, names.host, arg[2], arg[3], arg[4]) : r;
}

static long remove_one(s32 fd, const char *link, const u64 *arg)
{
	struct names names;
	long r = read_names(arg[1], &names);

	if (r == 0)
		r = may(fd, names.asked, 2);
	if (r < 0)
		return r;
	r = sys2(__NR_removexattr, link, names.host);
	return r == -EACCES && identity_unlock(fd) ? sys2(__NR_removexattr, link, names.host) : r;
}

/* Takes out what is ours, and gives what is kept its name. Returns the new size. */
static u64 told(char *list, u64 size)
{
	bool admin = identity_capable(identity_self(), CAP_SYS_ADMIN_);
	u64 to = 0;

	for (u64 at = 0, length; at < size; at += length) {
		const char *name = list + at;
		u64 skip;

		length = strlen(name) + 1;
		skip = begins(name, KEPT) ? KEPT_SIZE : 0;
		if (!strcmp(name, IDENTITY_ATTRIBUTE) || begins(name, IDENTITY_NAME_PREFIX) ||
		    (begins(name + skip, "trusted.") && !admin))
			continue;
		memmove(list + to, name + skip, length - skip);
		to += length - skip;
	}
	return to;
}

static long list(const char *link, const u64 *arg)
{
	char *names = agent_scratch();
	long n = sys3(__NR_listxattr, link, names, AGENT_SCRATCH - 1);
	u64 size;

	if (n < 0)
		return n == -ERANGE ? -E2BIG : n;
	names[n] = 0;
	size = told(names, (u64)n);
	if (arg[2] && size > arg[2])
		return -ERANGE;
	return arg[2] && size && guest_write(arg[1], names, size) < 0 ? -EFAULT : (long)size;
}

long identity_xattr(s32 fd, long nr, const u64 arg[6])
{
	char link[LINK_SIZE];

	agent_fd_link(link, (u32)fd);
	switch (nr) {
	case __NR_getxattr:
	case __NR_lgetxattr:
	case __NR_fgetxattr:
		return get(fd, link, arg);
	case __NR_setxattr:
	case __NR_lsetxattr:
	case __NR_fsetxattr:
		return set(fd, link, arg);
	case __NR_removexattr:
	case __NR_lremovexattr:
	case __NR_fremovexattr:
		return remove_one(fd, link, arg);
	default:
		return list(link, arg);
	}
}

enum verdict identity_fxattr(struct call *call)
{
	long r = identity_usable((u32)call->arg[0]);

	return identity_done(call, r < 0 ? r : identity_xattr((s32)call->arg[0], call->nr, call->arg));
}

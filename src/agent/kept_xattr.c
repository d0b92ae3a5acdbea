/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes that the host does not keep for the guest (xattr(7); vfs_setxattr() and xattr_permission() of fs/xattr.c, cap_convert_nscap()
 * of security/commoncap.c): trusted.NAME and security.NAME are kept as user.lichen.trusted.NAME and user.lichen.security.NAME.
 *
 * Who asks: gap xattr, where the host itself is asked first, and what is kept counts where it says EOPNOTSUPP, EPERM or ENODATA; and gap identity, for whom
 * the kernel knows nobody, so that what is kept counts first. The caller's right is asked of the identity that counts.
 *
 * An overlay's attributes (trusted.overlay.NAME) are those that overlays of the cell have (fs_layers.h): so a program that makes an opaque directory in what
 * is to be a layer is understood.
 *
 * Limits: docs/limits.md.
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"

#define KEPT "user.lichen."
#define KEPT_SIZE 12u
#define OWNER "user.lichen.owner."
#define TRUSTED_OVERLAY "trusted.overlay."
#define USER_OVERLAY "user.overlay."
#define NAME_SIZE 256u
#define LIST_ROOM 4096u /* a name may be told as a longer one */

#define CAPS "security.capability"
#define CAPS_MASK 0xff000000u /* VFS_CAP_REVISION_* of linux/capability.h */
#define CAPS_2 0x02000000u
#define CAPS_3 0x03000000u
#define CAPS_2_SIZE 20u
#define CAPS_3_SIZE 24u

enum op { OP_SET, OP_GET, OP_LIST, OP_REMOVE };

/* One call: the family's four operations come by path, by a path that is not followed, and by descriptor, in this order of numbers. */
struct request {
	s32 fd; /* of the object, where gap identity is filled */
	u32 way;
	const u64 *arg;
	u32 flags;
	const void *value; /* to be set: guest memory, or what became of it */
	u64 size;
	char asked[NAME_SIZE];
	char kept[NAME_SIZE + KEPT_SIZE]; /* "": the name has no other */
	u8 caps[CAPS_3_SIZE];
};
static_assert(__NR_fremovexattr == __NR_setxattr + 11 && __NR_lgetxattr == __NR_setxattr + 4, "the family's numbers");

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/* Makes one of the operations, by the host's name. */
static long host(const struct request *q, enum op op, const char *name)
{
	u64 args[6] = { q->arg[0], (u64)name, q->arg[2], q->arg[3], q->flags };

	if (op == OP_SET) {
		args[2] = (u64)q->value;
		args[3] = q->size;
	}
	return agent_reissue(__NR_setxattr + op * 3 + q->way, args);
}

/* Likewise; a mode of the host's that is not the guest's does not count. */
static long host_unlocked(const struct request *q, enum op op, const char *name)
{
	long r = host(q, op, name);

	return r == -EACCES && identity_on() && identity_unlock(q->fd) ? host(q, op, name) : r;
}

/* Whether the host's own attributes are asked for, and first. */
static bool host_first(void)
{
	return !identity_on() && !(commons()->refused & (1u << GAP_xattr));
}

/* What an answer of the host says: that it keeps no such attribute, or not for the caller. */
static bool is_refusal(long r)
{
	return r == -EOPNOTSUPP || r == -EPERM || r == -ENODATA;
}

/* The name under which an attribute is kept. */
static void find_kept(struct request *q)
{
	const char *name = q->asked, *prefix = KEPT;

	q->kept[0] = 0;
	if (fs_on() && begins(name, TRUSTED_OVERLAY)) {
		prefix = commons()->fs.features & FS_TRUSTED ? TRUSTED_OVERLAY : USER_OVERLAY;
		name += strlen(TRUSTED_OVERLAY);
	} else if (!kept_xattr_name(name)) {
		return;
	}
	memcpy(q->kept, prefix, strlen(prefix));
	memcpy(q->kept + strlen(prefix), name, strlen(name) + 1);
}

bool kept_xattr_name(const char *name)
{
	return begins(name, "trusted.") || begins(name, "security.");
}

static long read_name(struct request *q)
{
	long n = guest_read_string(q->asked, q->arg[1], NAME_SIZE);

	if (n <= 0)
		return n == -EFAULT ? n : -ERANGE;
	find_kept(q);
	return 0;
}

/* Whether the kernel would let the caller get (4) or set (2) what is kept. */
static long may(const struct request *q, u32 mask)
{
	struct agent_creds creds;
	const char *name = q->asked;

	if (identity_on())
		return identity_may_xattr(q->fd, name, mask);
	agent_creds_get(&creds);
	if (begins(name, "trusted."))
		return !creds.cap_sys_admin ? (mask == 2 ? -EPERM : -ENODATA) : name[8] ? 0 : -EINVAL;
	if (mask == 2 && !(strcmp(name, CAPS) ? creds.cap_sys_admin : creds.cap_setfcap))
		return -EPERM;
	return name[9] ? 0 : -EINVAL;
}

/* --- get ------------------------------------------------------------------------------------------------------------------------------ */

static long get(struct request *q)
{
	long r = read_name(q);

	if (r < 0)
		return r;
	if (!q->kept[0]) {
		r = identity_on() ? may(q, 4) : 0;
		return r < 0 ? r : host(q, OP_GET, q->asked);
	}
	if (host_first()) {
		r = host(q, OP_GET, q->asked);
		if (!is_refusal(r))
			return r;
	}
	r = may(q, 4);
	if (r < 0)
		return r;
	r = host(q, OP_GET, q->kept);
	if (r == -ENODATA && identity_on() && begins(q->asked, "security.")) {
		r = host(q, OP_GET, q->asked); /* what the host's own file has */
		return r < 0 && r != -ERANGE ? -ENODATA : r;
	}
	if (r == 0 && !strcmp(q->asked, CAPS))
		return -EINVAL;
	return is_refusal(r) || r == -EACCES ? -ENODATA : r;
}

/* --- set ------------------------------------------------------------------------------------------------------------------------------ */

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

/* File capabilities have one of two forms; the later one says for which user namespace's root, and is the former where that is the first one's. */
static long convert_caps(struct request *q)
{
	u32 magic = 0, root = 0;

	if (q->size != CAPS_2_SIZE && q->size != CAPS_3_SIZE)
		return -EINVAL;
	if (guest_read(q->caps, (u64)q->value, q->size) < 0)
		return -EFAULT;
	memcpy(&magic, q->caps, sizeof(magic));
	if ((magic & CAPS_MASK) != (q->size == CAPS_2_SIZE ? CAPS_2 : CAPS_3))
		return -EINVAL;
	memcpy(&root, q->caps + CAPS_2_SIZE, sizeof(root));
	if (q->size == CAPS_3_SIZE && root == 0) {
		magic = (magic & ~CAPS_MASK) | CAPS_2;
		memcpy(q->caps, &magic, sizeof(magic));
		q->size = CAPS_2_SIZE;
	}
	q->value = q->caps;
	return 0;
}

static long set(struct request *q)
{
	long r = q->flags & ~3u ? -EINVAL : read_name(q);

	if (r == 0)
		r = check_value(q->arg[2], q->size);
	if (r < 0)
		return r;
	if (!q->kept[0]) {
		r = identity_on() ? may(q, 2) : 0;
		return r < 0 ? r : host_unlocked(q, OP_SET, q->asked);
	}
	if (host_first()) {
		r = host(q, OP_SET, q->asked);
		if (!is_refusal(r) || (r == -ENODATA && host(q, OP_GET, q->kept) < 0))
			return r;
		r = 0;
	}
	if (q->size || strcmp(q->asked, CAPS)) { /* empty ones are nobody's affair, and EINVAL to who reads them */
		r = strcmp(q->asked, CAPS) ? 0 : convert_caps(q);
		if (r == 0)
			r = may(q, 2);
	}
	if (r == 0)
		r = host_unlocked(q, OP_SET, q->kept);
	return r == -EACCES ? -EPERM : r;
}

/* --- remove, list --------------------------------------------------------------------------------------------------------------------- */

static long remove_one(struct request *q)
{
	long r = read_name(q);

	if (r < 0)
		return r;
	if (!q->kept[0]) {
		r = identity_on() ? may(q, 2) : 0;
		return r < 0 ? r : host_unlocked(q, OP_REMOVE, q->asked);
	}
	if (host_first()) {
		r = host(q, OP_REMOVE, q->asked);
		if (!is_refusal(r))
			return r;
	}
	r = may(q, 2);
	if (r < 0)
		return r;
	r = host_unlocked(q, OP_REMOVE, q->kept);
	return is_refusal(r) ? -ENODATA : r == -EACCES ? -EPERM : r; /* not the caller is refused: a link has none */
}

/* Whether a name is among those of a list. */
static bool listed(const char *list, u64 size, const char *name)
{
	for (u64 at = 0; at < size; at += strlen(list + at) + 1)
		if (!strcmp(list + at, name))
			return true;
	return false;
}

/* What the guest is told of a name that the host lists: the part of it behind *skip bytes, and what comes before that. NULL: nothing. */
static const char *told_prefix(const char *name, u64 *skip)
{
	*skip = 0;
	if (begins(name, KEPT) && kept_xattr_name(name + KEPT_SIZE)) {
		*skip = KEPT_SIZE;
	} else if (fs_on() && begins(name, USER_OVERLAY) && !(commons()->fs.features & FS_TRUSTED)) {
		*skip = strlen(USER_OVERLAY);
		return TRUSTED_OVERLAY;
	}
	return !*skip && identity_on() && identity_hides_xattr(name) ? NULL : "";
}

/* Writes the list that the guest gets of the host's, which lies behind it in the same memory. Returns its size, or -E2BIG. */
static long tell(char *to, const char *from, u64 size)
{
	struct agent_creds creds;
	u64 used = 0, skip;

	agent_creds_get(&creds);
	for (const char *name = from; name < from + size; name += strlen(name) + 1) {
		const char *prefix = told_prefix(name, &skip);
		u64 before = prefix ? strlen(prefix) : 0, length = strlen(name + skip) + 1;

		if (!prefix || (!creds.cap_sys_admin && (before || begins(name + skip, "trusted."))))
			continue;
		if (to + used + before + length > name + strlen(name) + 1)
			return -E2BIG;
		memmove(to + used + before, name + skip, length);
		memcpy(to + used, prefix, before);
		if (!skip || !listed(to, used, to + used))
			used += before + length;
	}
	return (long)used;
}

static long list(const struct request *q)
{
	char *names = agent_scratch(), *from = names + LIST_ROOM;
	u64 args[6] = { q->arg[0], (u64)from, AGENT_SCRATCH - LIST_ROOM - 1 };
	long n = agent_reissue(__NR_setxattr + OP_LIST * 3 + q->way, args);

	if (n == -EOPNOTSUPP && !identity_on())
		return 0;
	if (n < 0)
		return n == -ERANGE ? -E2BIG : n;
	from[n] = 0;
	n = tell(names, from, (u64)n);
	if (n < 0)
		return n;
	if (q->arg[2] && (u64)n > q->arg[2])
		return -ERANGE;
	return q->arg[2] && n && guest_write(q->arg[1], names, (u64)n) < 0 ? -EFAULT : n;
}

long kept_xattr(s32 fd, long nr, const u64 arg[6])
{
	struct request q = { .fd = fd, .way = (u32)(nr - __NR_setxattr) % 3, .arg = arg };

	switch ((u32)(nr - __NR_setxattr) / 3) {
	case OP_SET:
		q.flags = (u32)arg[4];
		q.value = (const void *)arg[2]; /* NOLINT(performance-no-int-to-ptr): the guest's, for the host */
		q.size = arg[3];
		return set(&q);
	case OP_GET:
		return get(&q);
	case OP_LIST:
		return list(&q);
	default:
		return remove_one(&q);
	}
}

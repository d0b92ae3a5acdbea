/* SPDX-License-Identifier: Apache-2.0 */
/* User and group ids: the rules of setuid(2) and its kin (kernel/sys.c), and what a change does to capabilities (security/commoncap.c). */
#include "gaps/identity/identity_int.h"

#define NO_ID UINT32_MAX
/* CAP_CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE */
#define CAPS_OF_FILES (UINT64_C(0x1f) | UINT64_C(1) << 9 | UINT64_C(1) << 27 | UINT64_C(1) << 32)

static bool has_root(const struct identity_ids *ids)
{
	return !ids->real || !ids->effective || !ids->saved;
}

void identity_fix_caps(struct identity_cred *now, const struct identity_cred *old, bool fs_only)
{
	struct identity_caps *caps = &now->caps;

	if (old->securebits & SECURE_NO_SETUID_FIXUP_)
		return;
	if (fs_only) {
		if (!old->uid.fs && now->uid.fs)
			caps->effective &= ~CAPS_OF_FILES;
		if (old->uid.fs && !now->uid.fs)
			caps->effective |= caps->permitted & CAPS_OF_FILES;
		return;
	}
	if (has_root(&old->uid) && !has_root(&now->uid)) {
		if (!(old->securebits & SECURE_KEEP_CAPS_))
			caps->permitted = caps->effective = 0;
		caps->ambient = 0;
	}
	if (!old->uid.effective && now->uid.effective)
		caps->effective = 0;
	if (old->uid.effective && !now->uid.effective)
		caps->effective = caps->permitted;
}

/* --- asking ------------------------------------------------------------------------------------------------------------------------- */

enum verdict identity_getuid(struct call *call)
{
	return identity_done(call, identity_self()->uid.real);
}

enum verdict identity_geteuid(struct call *call)
{
	return identity_done(call, identity_self()->uid.effective);
}

enum verdict identity_getgid(struct call *call)
{
	return identity_done(call, identity_self()->gid.real);
}

enum verdict identity_getegid(struct call *call)
{
	return identity_done(call, identity_self()->gid.effective);
}

static enum verdict tell(struct call *call, const struct identity_ids *ids)
{
	const u32 values[] = { ids->real, ids->effective, ids->saved };

	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		if (guest_write(call->arg[i], &values[i], sizeof(values[i])) < 0)
			return identity_done(call, -EFAULT);
	return identity_done(call, 0);
}

enum verdict identity_getresuid(struct call *call)
{
	return tell(call, &identity_self()->uid);
}

enum verdict identity_getresgid(struct call *call)
{
	return tell(call, &identity_self()->gid);
}

/* --- setting ------------------------------------------------------------------------------------------------------------------------ */

/* One of the two kinds of ids of an identity that is being changed. */
struct change {
	struct identity_cred now;
	const struct identity_cred *old;
	struct identity_ids *ids; /* in now */
	struct identity_ids was;
	bool users, may; /* may: holds CAP_SETUID or CAP_SETGID */
};

static void begin(struct change *change, bool users)
{
	change->old = identity_self();
	change->now = *change->old;
	change->users = users;
	change->ids = users ? &change->now.uid : &change->now.gid;
	change->was = *change->ids;
	change->may = identity_capable(change->old, users ? CAP_SETUID_ : CAP_SETGID_);
}

static enum verdict finish(struct call *call, struct change *change)
{
	if (change->users)
		identity_fix_caps(&change->now, change->old, false);
	return identity_done(call, identity_become(&change->now));
}

static enum verdict set(struct call *call, bool users)
{
	struct change c;
	u32 id = (u32)call->arg[0];

	begin(&c, users);
	if (id == NO_ID)
		return identity_done(call, -EINVAL);
	if (c.may)
		c.ids->real = c.ids->saved = id;
	else if (id != c.was.real && id != c.was.saved)
		return identity_done(call, -EPERM);
	c.ids->effective = c.ids->fs = id;
	return finish(call, &c);
}

static enum verdict set_real_effective(struct call *call, bool users)
{
	struct change c;
	u32 real = (u32)call->arg[0], effective = (u32)call->arg[1];

	begin(&c, users);
	if (real != NO_ID) {
		c.ids->real = real;
		if (real != c.was.real && real != c.was.effective && !c.may)
			return identity_done(call, -EPERM);
	}
	if (effective != NO_ID) {
		c.ids->effective = effective;
		if (effective != c.was.real && effective != c.was.effective && effective != c.was.saved && !c.may)
			return identity_done(call, -EPERM);
	}
	if (real != NO_ID || (effective != NO_ID && effective != c.was.real))
		c.ids->saved = c.ids->effective;
	c.ids->fs = c.ids->effective;
	return finish(call, &c);
}

static bool is_one_of(u32 id, const struct identity_ids *ids)
{
	return id == NO_ID || id == ids->real || id == ids->effective || id == ids->saved;
}

static enum verdict set_all(struct call *call, bool users)
{
	struct change c;
	u32 real = (u32)call->arg[0], effective = (u32)call->arg[1], saved = (u32)call->arg[2];

	begin(&c, users);
	if ((real == NO_ID || real == c.was.real) &&
	    (effective == NO_ID || (effective == c.was.effective && effective == c.was.fs)) &&
	    (saved == NO_ID || saved == c.was.saved))
		return identity_done(call, 0);
	if (!c.may && !(is_one_of(real, &c.was) && is_one_of(effective, &c.was) && is_one_of(saved, &c.was)))
		return identity_done(call, -EPERM);
	if (real != NO_ID)
		c.ids->real = real;
	if (effective != NO_ID)
		c.ids->effective = effective;
	if (saved != NO_ID)
		c.ids->saved = saved;
	c.ids->fs = c.ids->effective;
	return finish(call, &c);
}

/* setfsuid(2): what it was before, whatever happens. */
static enum verdict set_fs(struct call *call, bool users)
{
	struct change c;
	u32 id = (u32)call->arg[0];

	begin(&c, users);
	if (id != NO_ID && id != c.was.fs && (c.may || is_one_of(id, &c.was))) {
		c.ids->fs = id;
		if (users)
			identity_fix_caps(&c.now, c.old, true);
		(void)!identity_become(&c.now);
	}
	return identity_done(call, c.was.fs);
}

enum verdict identity_setuid(struct call *call)
{
	return set(call, true);
}

enum verdict identity_setgid(struct call *call)
{
	return set(call, false);
}

enum verdict identity_setreuid(struct call *call)
{
	return set_real_effective(call, true);
}

enum verdict identity_setregid(struct call *call)
{
	return set_real_effective(call, false);
}

enum verdict identity_setresuid(struct call *call)
{
	return set_all(call, true);
}

enum verdict identity_setresgid(struct call *call)
{
	return set_all(call, false);
}

enum verdict identity_setfsuid(struct call *call)
{
	return set_fs(call, true);
}

enum verdict identity_setfsgid(struct call *call)
{
	return set_fs(call, false);
}

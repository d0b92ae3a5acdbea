/* SPDX-License-Identifier: Apache-2.0 */
/* Capability sets and securebits: capget(2), capset(2), prctl(2) (kernel/capability.c, security/commoncap.c, kernel/sys.c). */
#include "gaps/identity/identity_int.h"

#define VERSION_1 0x19980330u
#define VERSION_2 0x20071026u
#define VERSION_3 0x20080522u

struct header {
	u32 version;
	s32 pid;
};

struct data { /* struct __user_cap_data_struct */
	u32 effective, permitted, inheritable;
};

/* How many of struct data a version has; 0: no such version, and the guest is told ours. -EFAULT. */
static int halves_of(u64 header)
{
	u32 version, ours = VERSION_3;

	if (guest_read(&version, header, sizeof(version)) < 0)
		return -EFAULT;
	if (version == VERSION_1)
		return 1;
	if (version == VERSION_2 || version == VERSION_3)
		return 2;
	return guest_write(header, &ours, sizeof(ours)) < 0 ? -EFAULT : 0;
}

/* The identity of a process that capget asks about. */
static long identity_of_pid(s32 pid, const struct identity_cred **ret)
{
	if (pid < 0)
		return -EINVAL;
	*ret = identity_self();
	if (!pid || pid == (s32)sys0(__NR_gettid))
		return 0;
	if (sys2(__NR_kill, pid, 0) == -ESRCH)
		return -ESRCH;
	*ret = identity_published(pid);
	return *ret ? 0 : -ENODATA;
}

/* capget of a process outside the cell. */
static long ask_kernel(const struct call *call)
{
	return sys2(__NR_capget, call->arg[0], call->arg[1]);
}

enum verdict identity_capget(struct call *call)
{
	struct data data[2] = { { 0 } };
	const struct identity_cred *cred;
	int halves = halves_of(call->arg[0]);
	s32 pid;
	long r;

	if (halves <= 0 || !call->arg[1])
		return identity_done(call, halves < 0 ? halves : call->arg[1] ? -EINVAL : 0);
	if (guest_read(&pid, call->arg[0] + offsetof(struct header, pid), sizeof(pid)) < 0)
		return identity_done(call, -EFAULT);
	if (pids_on())
		pid = pids_to_host(pid);
	r = identity_of_pid(pid, &cred);
	if (r < 0)
		return identity_done(call, r == -ENODATA ? ask_kernel(call) : r);
	for (int i = 0; i < halves; i++)
		data[i] = (struct data){ .effective = (u32)(cred->caps.effective >> 32 * i),
					 .permitted = (u32)(cred->caps.permitted >> 32 * i),
					 .inheritable = (u32)(cred->caps.inheritable >> 32 * i) };
	return identity_done(call, guest_write(call->arg[1], data, (u64)halves * sizeof(data[0])) < 0 ? -EFAULT : 0);
}

static long set_caps(const struct identity_cred *old, u64 effective, u64 permitted, u64 inheritable)
{
	struct identity_cred now = *old;
	const struct identity_caps *caps = &old->caps;

	if (!identity_capable(old, CAP_SETPCAP_) && (inheritable & ~(caps->inheritable | caps->permitted)))
		return -EPERM;
	if ((inheritable & ~(caps->inheritable | caps->bounding)) || (permitted & ~caps->permitted) || (effective & ~permitted))
		return -EPERM;
	now.caps.effective = effective;
	now.caps.permitted = permitted;
	now.caps.inheritable = inheritable;
	now.caps.ambient &= permitted & inheritable;
	return identity_become(&now);
}

u32 identity_last_cap(void)
{
	return identity_area()->last_cap;
}

enum verdict identity_capset(struct call *call)
{
	u64 valid = (UINT64_C(2) << identity_area()->last_cap) - 1;
	struct data data[2] = { { 0 } };
	int halves = halves_of(call->arg[0]);
	s32 pid;

	if (halves <= 0)
		return identity_done(call, halves < 0 ? halves : -EINVAL);
	if (guest_read(&pid, call->arg[0] + offsetof(struct header, pid), sizeof(pid)) < 0)
		return identity_done(call, -EFAULT);
	if (pids_on())
		pid = pids_to_host(pid);
	if (pid && pid != (s32)sys0(__NR_gettid))
		return identity_done(call, -EPERM);
	if (guest_read(data, call->arg[1], (u64)halves * sizeof(data[0])) < 0)
		return identity_done(call, -EFAULT);
	return identity_done(call, set_caps(identity_self(), (data[0].effective | (u64)data[1].effective << 32) & valid,
					    (data[0].permitted | (u64)data[1].permitted << 32) & valid,
					    (data[0].inheritable | (u64)data[1].inheritable << 32) & valid));
}

/* --- prctl -------------------------------------------------------------------------------------------------------------------------- */

enum {
	PR_GET_KEEPCAPS_ = 7,
	PR_SET_KEEPCAPS_ = 8,
	PR_CAPBSET_READ_ = 23,
	PR_CAPBSET_DROP_ = 24,
	PR_GET_SECUREBITS_ = 27,
	PR_SET_SECUREBITS_ = 28,
	PR_SET_NO_NEW_PRIVS_ = 38,
	PR_GET_NO_NEW_PRIVS_ = 39,
	PR_CAP_AMBIENT_ = 47,
};

static long set_keepcaps(struct identity_cred cred, u64 on)
{
	if (on > 1)
		return -EINVAL;
	if (cred.securebits & SECURE_KEEP_CAPS_LOCKED_)
		return -EPERM;
	cred.securebits = on ? cred.securebits | SECURE_KEEP_CAPS_ : cred.securebits & ~(u32)SECURE_KEEP_CAPS_;
	return identity_become(&cred);
}

static long drop_bounding(struct identity_cred cred, u64 cap)
{
	if (!identity_capable(&cred, CAP_SETPCAP_))
		return -EPERM;
	if (!identity_cap_valid(cap))
		return -EINVAL;
	cred.caps.bounding &= ~(UINT64_C(1) << cap);
	return identity_become(&cred);
}

#define BITS_PRIVILEGED 0x055u /* each is followed by its lock */
#define BITS_ANYBODYS 0x500u   /* EXEC_RESTRICT_FILE, EXEC_DENY_INTERACTIVE: since Linux 6.14 */
#define WITH_LOCKS(bits) ((bits) | (bits) << 1)

static long set_securebits(struct identity_cred cred, u64 bits)
{
	u32 old = cred.securebits, locks = (BITS_PRIVILEGED | BITS_ANYBODYS) << 1;
	u64 changed = old ^ bits;

	if (((old & locks) >> 1 & changed) || (old & locks & ~bits) || (bits & ~(u64)WITH_LOCKS(BITS_PRIVILEGED | BITS_ANYBODYS)))
		return -EPERM;
	if (!identity_capable(&cred, CAP_SETPCAP_) && (!changed || (changed & ~(u64)WITH_LOCKS(BITS_ANYBODYS))))
		return -EPERM;
	cred.securebits = (u32)bits;
	return identity_become(&cred);
}

enum ambient { AMBIENT_IS_SET = 1, AMBIENT_RAISE = 2, AMBIENT_LOWER = 3, AMBIENT_CLEAR_ALL = 4 };

static long change_ambient(struct identity_cred cred, const u64 *arg)
{
	u64 what = arg[1], cap = arg[2], bit;

	if (what == AMBIENT_CLEAR_ALL) {
		if (cap | arg[3] | arg[4])
			return -EINVAL;
		cred.caps.ambient = 0;
		return identity_become(&cred);
	}
	if (!identity_cap_valid(cap) || (arg[3] | arg[4]) || what < AMBIENT_IS_SET || what > AMBIENT_LOWER)
		return -EINVAL;
	bit = UINT64_C(1) << cap;
	if (what == AMBIENT_IS_SET)
		return !!(cred.caps.ambient & bit);
	if (what == AMBIENT_RAISE &&
	    ((cred.securebits & SECURE_NO_CAP_AMBIENT_RAISE_) || !(cred.caps.permitted & cred.caps.inheritable & bit)))
		return -EPERM;
	cred.caps.ambient = what == AMBIENT_RAISE ? cred.caps.ambient | bit : cred.caps.ambient & ~bit;
	return identity_become(&cred);
}

static long no_new_privs(struct identity_cred cred, const u64 *arg)
{
	bool get = (s32)arg[0] == PR_GET_NO_NEW_PRIVS_;

	if (arg[1] != (get ? 0 : 1) || arg[2] || arg[3] || arg[4])
		return -EINVAL;
	if (get)
		return cred.no_new_privs;
	cred.no_new_privs = 1;
	return identity_become(&cred);
}

enum verdict identity_prctl(struct call *call)
{
	const struct identity_cred *cred = identity_self();
	const u64 *arg = call->arg;

	switch ((s32)arg[0]) {
	case PR_GET_KEEPCAPS_:
		return identity_done(call, !!(cred->securebits & SECURE_KEEP_CAPS_));
	case PR_SET_KEEPCAPS_:
		return identity_done(call, set_keepcaps(*cred, arg[1]));
	case PR_CAPBSET_READ_:
		return identity_done(call, identity_cap_valid(arg[1]) ? (long)(cred->caps.bounding >> arg[1] & 1) : -EINVAL);
	case PR_CAPBSET_DROP_:
		return identity_done(call, drop_bounding(*cred, arg[1]));
	case PR_GET_SECUREBITS_:
		return identity_done(call, cred->securebits);
	case PR_SET_SECUREBITS_:
		return identity_done(call, set_securebits(*cred, arg[1]));
	case PR_SET_NO_NEW_PRIVS_:
	case PR_GET_NO_NEW_PRIVS_:
		return identity_done(call, no_new_privs(*cred, arg));
	case PR_CAP_AMBIENT_:
		return identity_done(call, change_ambient(*cred, arg));
	default:
		return CALL_PASS;
	}
}

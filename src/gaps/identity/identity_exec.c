/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What execve does to an identity: bprm_fill_uid() of fs/exec.c and cap_bprm_creds_from_file() of security/commoncap.c, for files without
 * capabilities of their own; as Linux has it since 6.16, which counts a change of the effective ids.
 */
#include <elf.h>

#include "base/kernel_stat.h"
#include "gaps/identity/identity_int.h"

#define S_ISUID_ 04000u
#define S_ISGID_ 02000u
#define S_IXGRP_ 00010u
#define ST_NOSUID_ 2

/* What belongs to who runs lichen is root's, what belongs to the machine's root and others is theirs. */
u32 identity_shown_uid(u32 uid)
{
	return uid == identity_area()->host_uid ? 0 : uid;
}

u32 identity_shown_gid(u32 gid)
{
	return gid == identity_area()->host_gid ? 0 : gid;
}

/* Whether the file's file system gives set-user-ID bits an effect. */
static bool may_suid(s32 fd)
{
	s64 statfs[15] = { 0 }; /* struct statfs: f_flags is the eleventh word */

	return sys2(__NR_fstatfs, fd, statfs) == 0 && !(statfs[10] & ST_NOSUID_) && !agent_is_nosuid(fd);
}

static void take_owner(s32 fd, struct identity_cred *now)
{
	struct identity_file file;

	if (now->no_new_privs || identity_file_read(fd, 0, &file) != 0 || !(file.mode & (S_ISUID_ | S_ISGID_)) || !may_suid(fd))
		return;
	if (file.mode & S_ISUID_)
		now->uid.effective = file.uid;
	if ((file.mode & (S_ISGID_ | S_IXGRP_)) == (S_ISGID_ | S_IXGRP_))
		now->gid.effective = file.gid;
}

void identity_exec_prepare(struct exec_prepare *prepare)
{
	const struct identity_cred *old = identity_self();
	struct identity_cred now = *old;
	bool effective = false, changed;
	long word;

	take_owner(prepare->program, &now);
	now.caps.permitted = 0;
	if (!(old->securebits & SECURE_NOROOT_) && (!now.uid.effective || !now.uid.real)) {
		now.caps.permitted = old->caps.bounding | old->caps.inheritable;
		effective = !now.uid.effective;
	}
	changed = now.uid.effective != old->uid.effective ||
		  (now.gid.effective != old->gid.fs && !identity_in_groups(old, now.gid.effective));
	if (old->no_new_privs && (changed || (now.caps.permitted & ~old->caps.permitted))) {
		now.uid.effective = old->uid.effective;
		now.gid.effective = old->gid.effective;
		now.caps.permitted &= old->caps.permitted;
	}
	now.uid.saved = now.uid.fs = now.uid.effective;
	now.gid.saved = now.gid.fs = now.gid.effective;
	if (changed)
		now.caps.ambient = 0;
	now.caps.permitted |= now.caps.ambient;
	now.caps.effective = effective ? now.caps.permitted : now.caps.ambient;
	now.securebits &= ~(u32)SECURE_KEEP_CAPS_;
	word = identity_word(&now);
	if (word >= 0) /* else as before: nobody gains anything */
		prepare->word = (u32)word;
}

static bool is_secure(const struct identity_cred *cred)
{
	return cred->uid.effective != cred->uid.real || cred->gid.effective != cred->gid.real ||
	       (cred->uid.real && (cred->caps.permitted & ~cred->caps.ambient));
}

void identity_exec_auxv(u64 *auxv)
{
	const struct identity_cred *cred = identity_self();

	for (u64 *at = auxv; at[0] != AT_NULL; at += 2)
		switch (at[0]) {
		case AT_UID:
			at[1] = cred->uid.real;
			break;
		case AT_EUID:
			at[1] = cred->uid.effective;
			break;
		case AT_GID:
			at[1] = cred->gid.real;
			break;
		case AT_EGID:
			at[1] = cred->gid.effective;
			break;
		case AT_SECURE:
			at[1] = is_secure(cred);
			break;
		default:
			break;
		}
}

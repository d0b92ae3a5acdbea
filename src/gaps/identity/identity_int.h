/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap identity, agent half: what its files call of each other. */
#ifndef LICHEN_GAPS_IDENTITY_INT_H
#define LICHEN_GAPS_IDENTITY_INT_H

#include "agent/vfs.h"
#include "gaps/identity/identity.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/identity/identity.def"
#undef GAP_CALL

/* capabilities(7): those that the rules here ask about */
enum identity_cap {
	CAP_CHOWN_ = 0,
	CAP_DAC_OVERRIDE_ = 1,
	CAP_DAC_READ_SEARCH_ = 2,
	CAP_FOWNER_ = 3,
	CAP_FSETID_ = 4,
	CAP_SETGID_ = 6,
	CAP_SETUID_ = 7,
	CAP_SETPCAP_ = 8,
	CAP_NET_ADMIN_ = 12,
	CAP_IPC_LOCK_ = 14,
	CAP_IPC_OWNER_ = 15,
	CAP_SYS_CHROOT_ = 18,
	CAP_SYS_ADMIN_ = 21,
	CAP_SYS_RESOURCE_ = 24,
	CAP_MKNOD_ = 27,
	CAP_AUDIT_CONTROL_ = 30,
	CAP_SETFCAP_ = 31,
};

/* securebits: SECBIT_* of capabilities(7) */
enum identity_securebit {
	SECURE_NOROOT_ = 1u << 0,
	SECURE_NO_SETUID_FIXUP_ = 1u << 2,
	SECURE_KEEP_CAPS_ = 1u << 4,
	SECURE_KEEP_CAPS_LOCKED_ = 1u << 5,
	SECURE_NO_CAP_AMBIENT_RAISE_ = 1u << 6,
};

static inline struct identity_area *identity_area(void)
{
	return commons_area(GAP_identity);
}

static inline bool identity_capable(const struct identity_cred *cred, u32 cap)
{
	return cred->caps.effective >> cap & 1;
}

static inline bool identity_cap_valid(u64 cap)
{
	return cap <= identity_area()->last_cap;
}

static inline enum verdict identity_done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* --- identity_store.c --------------------------------------------------------------------------------------------------------------- */

/* The identity of the calling thread; of a word (identity_row() of what an engine's word says). Never NULL, never changes. */
const struct identity_cred *identity_self(void);
const struct identity_cred *identity_of(u32 word);

/* The word of an identity, made where it is new. Word or -EAGAIN. */
long identity_word(const struct identity_cred *cred) MUST_CHECK;

/* Makes it the calling thread's. 0 or -EAGAIN. */
long identity_become(const struct identity_cred *cred) MUST_CHECK;

/* The number of a list of groups in rising order, made where it is new; -ENOMEM. */
long identity_list(const u32 *gids, u32 count) MUST_CHECK;
/* The groups of an identity; *count of them. */
const u32 *identity_groups(const struct identity_cred *cred, u32 *count);
bool identity_in_groups(const struct identity_cred *cred, u32 gid);

/* Tells others in the cell what a process or thread is; forgets it. */
void identity_publish(s32 pid, u32 word);
void identity_forget(s32 pid);
/* What was published; NULL: nothing, it is not of this cell. */
const struct identity_cred *identity_published(s32 pid);

/* --- identity_groups.c -------------------------------------------------------------------------------------------------------------- */

/* The calling task is somebody, as the first program of a cell is. */
void identity_start_as(const struct identity_start *who);

/* --- identity_ids.c ----------------------------------------------------------------------------------------------------------------- */

/* What happens to capabilities when user ids change; fs_only: by setfsuid. */
void identity_fix_caps(struct identity_cred *now, const struct identity_cred *old, bool fs_only);

/* --- identity_owner.c --------------------------------------------------------------------------------------------------------------- */

#define IDENTITY_TYPE 0170000u
#define IDENTITY_REGULAR 0100000u
#define IDENTITY_DIRECTORY 0040000u
#define IDENTITY_CHAR 0020000u
#define IDENTITY_BLOCK 0060000u
#define IDENTITY_LINK 0120000u
#define IDENTITY_FIFO 0010000u
#define IDENTITY_SOCKET 0140000u

#define IDENTITY_ATTRIBUTE "user.containers.override_stat"
#define IDENTITY_NAME_PREFIX "user.lichen.owner."
#define IDENTITY_TEXT 96u /* of either */

/* What a file is to the guest. */
struct identity_file {
	u32 uid, gid;
	u32 mode; /* type and permissions */
	u32 major, minor;
	u32 host_mode;
	u32 plain_uid, plain_gid; /* what it is without the attribute */
	bool kept;                /* it can have the attribute: else nobody knows whose it is */
	bool stored;              /* it has it */
	bool mine;                /* on the host it belongs to who runs lichen */
	bool by_path;             /* its descriptor is, or may be, O_PATH */
};

/* Of a descriptor; known: enum stat_known. 0 or negative errno. */
long identity_file_read(s32 fd, u32 known, struct identity_file *ret) MUST_CHECK;
/* The same of what was just made. */
long identity_file_new(s32 fd, u32 known, struct identity_file *ret) MUST_CHECK;
/* The same with what stat(2) said. */
void identity_file_of(s32 fd, u32 known, const struct kernel_stat *st, struct identity_file *ret);
/* The same for stat(2): one call of the kernel for most files. False: the file is known not to be a copy (fs_origin_stat()). */
bool identity_file_seen(s32 fd, u32 known, const struct kernel_stat *st, struct identity_file *ret);
/* The same of a name of which nothing is kept; false: something is, or may be. */
bool identity_file_plain(s32 directory, const char *name, const struct kernel_stat *st, struct identity_file *ret) MUST_CHECK;
/* Makes the file what it says. -EPERM where nothing can be kept. */
long identity_file_write(s32 fd, struct identity_file *file) MUST_CHECK;

/* --- identity_making.c -------------------------------------------------------------------------------------------------------------- */

/* Somebody is refused what a file says: whether it is to be asked again, once, since it may have been made a moment ago. */
bool identity_look_again(const struct identity_file *file) MUST_CHECK;

/* --- identity_name.c ---------------------------------------------------------------------------------------------------------------- */

/* The text kept for what a descriptor stands for: its length, or negative errno. */
long identity_name_read(s32 fd, char text[IDENTITY_TEXT]) MUST_CHECK;
/* Whether something is kept of a name in a directory. */
bool identity_name_kept(s32 directory, const char *name) MUST_CHECK;
/* Keeps it; an empty one: nothing is kept. -EPERM where it cannot be. */
long identity_name_write(s32 fd, const char *text) MUST_CHECK;

/* --- identity_files.c --------------------------------------------------------------------------------------------------------------- */

/* Whether a file can be changed through a descriptor: not an O_PATH one. 0 or -EBADF. */
long identity_usable(u32 fd) MUST_CHECK;

/* --- identity_exec.c ---------------------------------------------------------------------------------------------------------------- */

/* The owner, as the guest sees it, of a file that the host says belongs to uid or gid. */
u32 identity_shown_uid(u32 uid);
u32 identity_shown_gid(u32 gid);

void identity_exec_prepare(struct exec_prepare *prepare);
/* Corrects AT_UID … AT_SECURE. */
void identity_exec_auxv(u64 *auxv);

#endif

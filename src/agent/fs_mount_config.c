/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsopen(2), fsconfig(2), fsmount(2), fspick(2): a file system is configured step by step; phases are those of fs/fsopen.c. It is made when it is
 * mounted, so what is wrong with its options together is told by fsmount.
 *
 * Limit: why an option was refused cannot be read from the descriptor.
 */
#include "agent/fs_layers.h"
#include "agent/fs_mount.h"
#include "agent/fs_quota.h"

#define FSPICK_NOFOLLOW 2u
#define FSPICK_EMPTY 8u

enum command { SET_FLAG, SET_STRING, SET_BINARY, SET_PATH, SET_PATH_EMPTY, SET_FD, CREATE, RECONFIGURE, CREATE_EXCL };

/* --- fsopen, fspick -------------------------------------------------------------------------------------------------------------------------- */

static long do_fsopen(struct mnt_work *work, u64 name, u32 flags)
{
	struct mnt_context *context = &work->context;
	long r;

	if (!mnt_may())
		return -EPERM;
	if (flags & ~1u)
		return -EINVAL;
	r = guest_read_string(work->type, name, sizeof(work->type));
	if (r < 0)
		return r == -ENAMETOOLONG ? -EINVAL : r;
	r = mnt_super_init(&context->super, work->type);
	context->phase = MNT_PHASE_CREATE;
	context->device = 0;
	return r < 0 ? r : mnt_context_make(context, flags & 1);
}

enum verdict fs_fsopen(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_fsopen(work, call->arg[0], (u32)call->arg[1]);
	mnt_done(work);
	return CALL_DONE;
}

static long do_fspick(struct mnt_work *work, s32 dirfd, u64 path, u32 flags)
{
	struct mnt_context *context = &work->context;
	struct mnt_where at;
	long r;

	if (!mnt_may())
		return -EPERM;
	if (flags & ~0xfu)
		return -EINVAL;
	r = mnt_locate(&work->path, dirfd, path, (flags & FSPICK_NOFOLLOW ? 0 : FS_FOLLOW) | (flags & FSPICK_EMPTY ? FS_EMPTY : 0),
		       &at);
	if (r < 0)
		return r;
	fs_object_done(r, dirfd);
	if (!at.mounted)
		return -EINVAL;
	r = mnt_lock(work);
	if (r < 0)
		return r;
	r = mnt_super_of(work, at.space, at.id, &context->super);
	r = mnt_commit(work, r);
	context->phase = MNT_PHASE_RECONFIGURE;
	context->device = work->path.mount.device;
	context->row = (struct mnt_row){ at.space, at.id };
	return r < 0 ? r : mnt_context_make(context, flags & 1);
}

enum verdict fs_fspick(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_fspick(work, (s32)call->arg[0], call->arg[1], (u32)call->arg[2]);
	mnt_done(work);
	return CALL_DONE;
}

/* --- fsconfig -------------------------------------------------------------------------------------------------------------------------------- */

static bool is_valid(u32 command, u64 key, u64 value, s32 aux)
{
	switch (command) {
	case SET_FLAG:
		return key && !value && !aux;
	case SET_STRING:
		return key && value && !aux;
	case SET_BINARY:
		return key && value && aux > 0 && aux <= 1024 * 1024;
	case SET_PATH:
	case SET_PATH_EMPTY:
		return key && value && (aux == AT_FDCWD_ || aux >= 0);
	case SET_FD:
		return key && !value && aux >= 0;
	default:
		return !key && !value && !aux;
	}
}

static long read_word(char *to, u64 from, u64 size)
{
	long n = from ? guest_read_string(to, from, size) : 0;

	return n == -ENAMETOOLONG ? -EINVAL : n;
}

/* The mount to be changed: any of the file system. */
static bool find_device(struct mnt_work *work, struct mnt_context *context)
{
	if (mnt_find(mnt_table(work, context->row.space), context->row.id))
		return true;
	for (u32 s = 0; context->device && s < FS_SPACES_MAX; s++) {
		const struct fs_table *table = mnt_table(work, s);

		for (u32 i = 0; fs_space_of(s)->state == FS_SPACE_READY && i < table->count; i++)
			if (table->mounts[i].device == context->device) {
				context->row = (struct mnt_row){ s, table->mounts[i].id };
				return true;
			}
	}
	return false;
}

static long reconfigure(struct mnt_work *work, struct mnt_context *context)
{
	long r = mnt_lock(work);

	if (r < 0)
		return r;
	r = find_device(work, context) ? mnt_change_super(work, context->row.space, context->row.id, &context->super) : 0;
	return mnt_commit(work, r);
}

static long configure(struct mnt_work *work, struct mnt_context *context, u32 command, bool has_value)
{
	bool path = command == SET_PATH || command == SET_PATH_EMPTY;

	switch (command) {
	case CREATE:
	case CREATE_EXCL:
		if (context->phase != MNT_PHASE_CREATE)
			return -EBUSY;
		context->phase = MNT_PHASE_MOUNT;
		return 0;
	case RECONFIGURE:
		return context->phase == MNT_PHASE_RECONFIGURE ? reconfigure(work, context) : -EBUSY;
	default:
		if (context->phase == MNT_PHASE_MOUNT)
			return -EBUSY;
		if (command == SET_BINARY || command == SET_FD || (path && context->super.kind != MNT_OVERLAY))
			return -EINVAL;
		return mnt_super_set(&context->super, work->type, has_value ? work->data : NULL);
	}
}

static long do_fsconfig(struct mnt_work *work, const u64 *arg)
{
	u32 command = (u32)arg[1];
	long number, r;

	if ((s32)arg[0] < 0)
		return -EINVAL;
	if (command > CREATE_EXCL)
		return -EOPNOTSUPP;
	if (!is_valid(command, arg[2], arg[3], (s32)arg[4]))
		return -EINVAL;
	number = mnt_handle_of((s32)arg[0], MNT_HANDLE_CONTEXT);
	if (number < 0)
		return number;
	r = read_word(work->type, arg[2], 256);
	if (r >= 0 && command != SET_BINARY)
		r = read_word(work->data, arg[3], command == SET_STRING ? 256 : sizeof(work->data));
	if (r >= 0)
		r = mnt_context_read((u32)number, &work->context);
	if (r >= 0)
		r = configure(work, &work->context, command, arg[3] != 0);
	return r < 0 ? r : mnt_context_write((u32)number, &work->context);
}

enum verdict fs_fsconfig(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_fsconfig(work, call->arg);
	mnt_done(work);
	return CALL_DONE;
}

/* --- fsmount --------------------------------------------------------------------------------------------------------------------------------- */

static long make_tree(struct mnt_work *work, struct mnt_context *context, u32 attributes, bool cloexec)
{
	struct fs_new_mount spec;
	u32 space = 0;
	long r = mnt_super_make(work, &context->super, &spec), fd;

	if (r < 0)
		return r;
	r = mnt_lock(work);
	if (r < 0)
		return r;
	fd = mnt_tree_make(work, cloexec, &space);
	spec.target = "";
	r = fd < 0 ? fd : fs_edit_add(mnt_edit(work, space), &spec);
	if (r >= 0)
		mnt_set_attributes(fs_edit_mount(mnt_edit(work, space), (u32)r), MNT_ATTRIBUTES, attributes);
	if (r >= 0 && spec.source) {
		long limited = fs_quota_mounted(work, spec.source, &context->super);

		r = limited < 0 ? limited : r;
	}
	context->device = spec.device;
	context->row = (struct mnt_row){ space, (u32)r };
	r = mnt_commit(work, r);
	if (r < 0 && fd >= 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? r : fd;
}

static long do_fsmount(struct mnt_work *work, s32 context_fd, u32 flags, u64 attributes)
{
	struct mnt_context *context = &work->context;
	long number, r, fd;
	u32 set;

	if (!mnt_may())
		return -EPERM;
	if ((flags & ~1u) || mnt_attr_flags(attributes, &set) < 0)
		return -EINVAL;
	number = mnt_handle_of(context_fd, MNT_HANDLE_CONTEXT);
	r = number < 0 ? number : mnt_context_read((u32)number, context);
	if (r < 0)
		return r;
	if (context->phase != MNT_PHASE_MOUNT)
		return context->phase == MNT_PHASE_CREATE ? -EINVAL : -EBUSY;
	fd = make_tree(work, context, set, flags & 1);
	if (fd < 0)
		return fd;
	context->phase = MNT_PHASE_RECONFIGURE;
	r = mnt_context_write((u32)number, context);
	if (r < 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? r : fd;
}

enum verdict fs_fsmount(struct call *call)
{
	struct mnt_work *work;

	call->ret = mnt_begin(&work);
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = do_fsmount(work, (s32)call->arg[0], (u32)call->arg[1], call->arg[2]);
	mnt_done(work);
	return CALL_DONE;
}

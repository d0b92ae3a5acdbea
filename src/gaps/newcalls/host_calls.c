/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls the host has. Each question is one call that a kernel which knows it refuses in its own way before it does anything, so
 * that EPERM of a seccomp profile and ENOSYS of an old kernel look the same: lacking. The answer is kept for the whole cell.
 */
#include "gaps/newcalls/newcalls_int.h"

#define OPENAT2_SIZE 24u
#define RESOLVE_KNOWN 0x37u /* all flags but RESOLVE_BENEATH, which excludes RESOLVE_IN_ROOT */
#define STATX_SIZE 256u
#define MFD_CLOEXEC_ 1u
#define MFD_EXEC_ 0x10u
#define GRND_INSECURE_ 4u
#define WEXITED_ 4

static bool statx_takes(s32 dirfd, const char *path, u32 flags)
{
	u8 buffer[STATX_SIZE];

	return sys5(__NR_statx, dirfd, path, flags, 0, buffer) == 0;
}

static bool ask(enum newcall what)
{
	u64 how[3] = { 0, 0, RESOLVE_KNOWN };

	switch (what) {
	case NEWCALL_OPENAT2:
		return sys4(__NR_openat2, AT_FDCWD_, "", how, OPENAT2_SIZE) == -ENOENT;
	case NEWCALL_FACCESSAT2:
		return sys4(__NR_faccessat2, -1, NULL, -1, -1) == -EINVAL;
	case NEWCALL_STATX:
		return statx_takes(AT_FDCWD_, "/", 0);
	case NEWCALL_STATX_AUTOMOUNT:
		return statx_takes(AT_FDCWD_, "/", AT_NO_AUTOMOUNT_);
	case NEWCALL_STATX_NULL:
		return statx_takes(commons_fd(), NULL, AT_EMPTY_PATH_);
	case NEWCALL_CLOSE_RANGE:
		return sys3(__NR_close_range, 1, 0, 0) == -EINVAL;
	case NEWCALL_COPY_FILE_RANGE:
		return sys6(__NR_copy_file_range, (u64)-1, 0, (u64)-1, 0, 0, 0) == -EBADF;
	case NEWCALL_MEMFD_EXEC:
		return sys2(__NR_memfd_create, NULL, MFD_CLOEXEC_ | MFD_EXEC_) == -EFAULT;
	case NEWCALL_GETRANDOM_INSECURE:
		return sys3(__NR_getrandom, NULL, 0, GRND_INSECURE_) == 0;
	case NEWCALL_PREADV2:
		return sys6(__NR_preadv2, (u64)-1, 0, 0, 0, 0, 0) == -EBADF;
	case NEWCALL_CLONE3:
		return sys2(__NR_clone3, NULL, 0) == -EINVAL;
	case NEWCALL_PIDFD:
		return sys2(__NR_pidfd_open, 0, 0) == -EINVAL && sys4(__NR_pidfd_send_signal, -1, 0, 0, 0) == -EBADF &&
		       sys5(__NR_waitid, P_PIDFD_, commons_fd(), NULL, WEXITED_, NULL) == -EBADF;
	case NEWCALL_PROCESS_VM:
		return sys6(__NR_process_vm_readv, 0, 0, 0, 0, 0, 1) == -EINVAL;
	case NEWCALL_COUNT:
		break;
	}
	return false;
}

bool newcall_there(enum newcall what)
{
	u8 *answer = &((struct newcalls_area *)commons_area(GAP_newcalls))->answers[what];
	u8 known = __atomic_load_n(answer, __ATOMIC_RELAXED);

	if (known == NEWCALL_UNASKED) {
		known = ask(what) ? NEWCALL_THERE : NEWCALL_LACKING;
		__atomic_store_n(answer, known, __ATOMIC_RELAXED);
	}
	return known == NEWCALL_THERE;
}

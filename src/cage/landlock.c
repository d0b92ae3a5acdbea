// SPDX-License-Identifier: Apache-2.0
/* Landlock's three system calls. Its header may be older than the kernel: what is used of it stands here. */
#include "cage/landlock.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/policy.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

/* linux/landlock.h */
#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_SYM = 1 << 12,
	FS_ALL = (1 << 13) - 1,
	FS_REFER = 1 << 13,     /* ABI 2 */
	FS_TRUNCATE = 1 << 14,  /* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
};
#define SCOPE_ABSTRACT 1u
#define SCOPE_SIGNAL 2u

struct ruleset_attr {
	u64 fs, net, scoped;
};

struct path_attr {
	u64 allowed;
	s32 fd;
} __attribute__((packed));

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static u64 handled(int abi)
{
	return (u64)FS_ALL | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
}

int landlock_new(int abi, bool files, bool scope_signals, bool scope_abstract)
{
	struct ruleset_attr attr = { .fs = files ? handled(abi) : 0 };
	size_t size = abi >= LANDLOCK_ABI_SCOPES ? sizeof(attr) : abi >= 4 ? 16 : 8;
	long fd;

	if (abi >= LANDLOCK_ABI_SCOPES)
		attr.scoped = (scope_signals ? SCOPE_SIGNAL : 0) | (scope_abstract ? SCOPE_ABSTRACT : 0);
	fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	return fd < 0 ? -errno : (int)fd;
}

/* What a write right is made of. No devices can be made: who can make one can read the machine's disks. */
static u64 rights(u32 access)
{
	u64 all = FS_READ_FILE | FS_READ_DIR;

	if (access & CAGE_EXECUTE)
		all |= FS_EXECUTE;
	if (access & CAGE_WRITE)
		all |= FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_FIFO |
		       FS_MAKE_SYM | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV;
	return all;
}

int landlock_allow(int ruleset, int abi, int fd, u32 access)
{
	struct path_attr rule = { .allowed = rights(access) & handled(abi), .fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int landlock_enforce(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

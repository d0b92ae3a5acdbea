/* SPDX-License-Identifier: Apache-2.0 */
/* security.capability: which values are taken, what is read back; who may, by capability; what others see. */
#include "xattr.h"

#include <sys/prctl.h>

static struct vfs_ns_cap_data caps = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data = { { .permitted = 1 } } };

static void try_caps(const char *what, uint32_t magic, uint32_t root, size_t size)
{
	char value[64];

	caps.magic_etc = magic;
	caps.rootid = root;
	say("%s: %s", what, setxattr("file", "security.capability", &caps, size, 0) ? errno_name(errno) : "ok");
	say_value("  read", getxattr("file", "security.capability", value, sizeof(value)), value);
	say("  removed: %s", removexattr("file", "security.capability") ? errno_name(errno) : "ok");
}

static void drop(unsigned cap)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	MUST(syscall(SYS_capget, &header, data));
	data[cap / 32].effective &= ~(1u << cap % 32);
	MUST(syscall(SYS_capset, &header, data));
}

static void try_all(const char *who)
{
	static const char *const names[] = { "security.other", "security.capability", "trusted.other" };
	char value[64], list[512];

	say("%s:", who);
	for (unsigned i = 0; i < COUNT(names); i++) {
		say("  get %s: %s", names[i], getxattr("file", names[i], value, sizeof(value)) < 0 ? errno_name(errno) : "ok");
		say("  set %s: %s", names[i], setxattr("file", names[i], &caps, XATTR_CAPS_SZ_2, 0) ? errno_name(errno) : "ok");
		say("  create %s: %s", names[i],
		    setxattr("file", names[i], &caps, XATTR_CAPS_SZ_2, XATTR_CREATE) ? errno_name(errno) : "ok");
		say("  remove %s: %s", names[i], removexattr("file", names[i]) ? errno_name(errno) : "ok");
	}
	SHOW(setxattr("file", "security.capability", "bad", 3, 0));
	SHOW(setxattr("file", "security.none", "x", 1, XATTR_REPLACE));
	say_list("  list", listxattr("file", list, sizeof(list)), list);
}

int main(void)
{
	MUST(chmod(".", 0755));
	close((int)MUST(open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)));
	try_caps("version 2", VFS_CAP_REVISION_2, 0, XATTR_CAPS_SZ_2);
	try_caps("effective", VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, 0, XATTR_CAPS_SZ_2);
	try_caps("version 3 of root", VFS_CAP_REVISION_3, 0, XATTR_CAPS_SZ_3);
	try_caps("version 3 of another", VFS_CAP_REVISION_3, 100000, XATTR_CAPS_SZ_3);
	try_caps("version 1", VFS_CAP_REVISION_1, 0, XATTR_CAPS_SZ_1);
	try_caps("wrong size", VFS_CAP_REVISION_2, 0, XATTR_CAPS_SZ_3);
	try_caps("wrong version", VFS_CAP_REVISION_3, 0, XATTR_CAPS_SZ_2);
	try_caps("unknown version", 0x09000000, 0, XATTR_CAPS_SZ_2);
	try_caps("empty", VFS_CAP_REVISION_2, 0, 0);
	caps.magic_etc = VFS_CAP_REVISION_2;
	(void)!setxattr("file", "security.other", "x", 1, 0);
	(void)!setxattr("file", "security.capability", &caps, XATTR_CAPS_SZ_2, 0);
	(void)!setxattr("file", "trusted.other", "x", 1, 0);
	CHILD(drop(CAP_SYS_ADMIN); try_all("without CAP_SYS_ADMIN"));
	(void)!setxattr("file", "security.capability", &caps, XATTR_CAPS_SZ_2, 0);
	CHILD(drop(CAP_SETFCAP); try_all("without CAP_SETFCAP"));
	(void)!setxattr("file", "security.other", "x", 1, 0);
	(void)!setxattr("file", "trusted.other", "x", 1, 0);
	AS_USER(1000, 1000, try_all("user 1000"));
	MUST(chmod("file", 0666));
	AS_USER(1000, 1000, try_all("user 1000, who may write"));
	return 0;
}

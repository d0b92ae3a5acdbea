/* SPDX-License-Identifier: Apache-2.0 */
/* trusted.* and security.*: set, get, list, remove, by path, by link and by descriptor; flags, sizes, names, bad pointers. */
#include "xattr.h"

static void flags(const char *name)
{
	char value[16];
	void *volatile none = NULL; /* of which the compiler knows nothing, nor of the next one's size */
	const void *volatile small = value;

	say("%s:", name);
	SHOW(getxattr("file", name, value, sizeof(value)));
	SHOW(removexattr("file", name));
	SHOW(setxattr("file", name, "a", 1, XATTR_REPLACE));
	SHOW(setxattr("file", name, "first", 5, XATTR_CREATE));
	SHOW(setxattr("file", name, "other", 5, XATTR_CREATE));
	SHOW(setxattr("file", name, "other", 5, XATTR_CREATE | XATTR_REPLACE));
	SHOW(setxattr("file", name, "third", 5, 4));
	SHOW(setxattr("file", name, "second", 6, XATTR_REPLACE));
	say_value("value", getxattr("file", name, value, sizeof(value)), value);
	SHOW(getxattr("file", name, value, 3));
	SHOW(getxattr("file", name, NULL, 0));
	SHOW(getxattr("file", name, none, 10));
	SHOW(getxattr("file", name, bad_pointer(), 10));
	SHOW(setxattr("file", name, "", 0, 0));
	SHOW(getxattr("file", name, value, sizeof(value)));
	SHOW(setxattr("file", name, NULL, 0, 0));
	SHOW(setxattr("file", name, none, 3, 0));
	SHOW(setxattr("file", name, bad_pointer(), 3, 0));
	SHOW(setxattr("file", name, tail_copy("tail", 4), 4, 0));
	SHOW(setxattr("file", name, tail_copy("tail", 4), 5, 0));
	say_value("value", getxattr("file", name, tail(4), 4), "");
	SHOW(setxattr("file", name, small, 65537, 0));
}

static void names(void)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	memcpy(name, "trusted.", 8);
	name[256] = 0;
	SHOW(setxattr("file", name, "x", 1, 0));
	SHOW(getxattr("file", name, NULL, 0));
	name[200] = 0;
	OK(setxattr("file", name, "x", 1, 0));
	OK(removexattr("file", name));
	for (unsigned i = 0; i < 6; i++) {
		static const char *const odd[] = { "", "trusted.", "security.", "trusted", "trustedx.a", "nothing.known" };

		say("\"%s\": set %s", odd[i], setxattr("file", odd[i], "x", 1, 0) ? errno_name(errno) : "ok");
		say("  get %s", getxattr("file", odd[i], NULL, 0) < 0 ? errno_name(errno) : "ok");
		say("  remove %s", removexattr("file", odd[i]) ? errno_name(errno) : "ok");
	}
	SHOW(setxattr("file", bad_pointer(), "x", 1, 0));
	SHOW(getxattr("file", tail_copy("trusted.a", 9), NULL, 0)); /* no end before what cannot be read */
	SHOW(removexattr("file", NULL));
}

static void ways(void)
{
	char value[16], list[1024];
	int fd = (int)MUST(open("file", O_RDONLY | O_CLOEXEC)), directory = (int)MUST(open("folder", O_RDONLY | O_DIRECTORY));
	int path = (int)MUST(open("file", O_PATH | O_CLOEXEC));

	SHOW(fsetxattr(fd, "trusted.way", "fd", 2, 0));
	SHOW(lgetxattr("file", "trusted.way", value, sizeof(value)));
	SHOW(lsetxattr("file", "security.way", "link", 4, 0));
	SHOW(fgetxattr(fd, "security.way", value, sizeof(value)));
	SHOW(setxattr("link", "trusted.by_link", "path", 4, 0));
	SHOW(getxattr("link", "trusted.by_link", value, sizeof(value)));
	SHOW(lgetxattr("link", "trusted.by_link", value, sizeof(value)));
	SHOW(lremovexattr("link", "trusted.by_link"));
	SHOW(fsetxattr(directory, "trusted.dir", "d", 1, 0));
	SHOW(setxattr("folder/", "security.dir", "d", 1, 0));
	SHOW(setxattr("file", "user.plain", "u", 1, 0));
	say_list("file", listxattr("file", list, sizeof(list)), list);
	say_list("link", listxattr("link", list, sizeof(list)), list);
	say_list("link itself", llistxattr("link", list, sizeof(list)), list);
	say_list("folder", flistxattr(directory, list, sizeof(list)), list);
	FACT(listxattr("folder", NULL, 0) == listxattr("folder", list, sizeof(list)));
	SHOW(listxattr("folder", list, 5));
	SHOW(flistxattr(directory, bad_pointer(), 500));
	SHOW(fgetxattr(path, "trusted.way", value, sizeof(value)));
	SHOW(fsetxattr(path, "trusted.way", "x", 1, 0));
	SHOW(flistxattr(path, list, sizeof(list)));
	SHOW(fgetxattr(-1, "trusted.way", value, sizeof(value)));
	SHOW(fremovexattr(99, "trusted.way"));
	SHOW(getxattr("none", "trusted.way", value, sizeof(value)));
	SHOW(setxattr("file/none", "trusted.way", "x", 1, 0));
	SHOW(listxattr("none", list, sizeof(list)));
	SHOW(removexattr(bad_pointer(), "trusted.way"));
	SHOW(fremovexattr(fd, "trusted.way"));
	SHOW(fremovexattr(fd, "trusted.way"));
	SHOW(removexattr("link", "security.way"));
	say_list("file", flistxattr(fd, list, sizeof(list)), list);
}

int main(void)
{
	close((int)MUST(open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)));
	MUST(symlink("file", "link"));
	MUST(mkdir("folder", 0755));
	flags("trusted.one");
	flags("security.one");
	names();
	MUST(removexattr("file", "trusted.one") && errno != ENODATA ? -1 : 0);
	MUST(removexattr("file", "security.one") && errno != ENODATA ? -1 : 0);
	ways();
	return 0;
}

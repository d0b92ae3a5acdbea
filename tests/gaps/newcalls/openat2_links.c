/* SPDX-License-Identifier: Apache-2.0 */
/* openat2: RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS and RESOLVE_NO_XDEV; how many links are followed. */
#include "openat2_test.h"

static const char *const paths[] = {
	"file",           "link",
	"link/",          "folder/inner",
	"folder/",        "dirlink",
	"dirlink/",       "dirlink/inner",
	"dirlink_slash",  "dirlink_slash/inner",
	"dangling",       "loop",
	"loop/x",         "up",
	"folder/../file", "folder/../link",
	"root/back",      "root/chain",
	"root/slash",
};

static void links(void)
{
	static const uint64_t resolve[] = { RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS,
					    RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	static const uint64_t flags[] = { O_RDONLY,    O_PATH,          O_PATH | O_NOFOLLOW, O_RDONLY | O_NOFOLLOW,
					  O_DIRECTORY, O_CREAT | O_RDWR };

	for (unsigned r = 0; r < COUNT(resolve); r++)
		for (unsigned f = 0; f < COUNT(flags); f++) {
			say("resolve %#llx flags %#llo:", (unsigned long long)resolve[r], (unsigned long long)flags[f]);
			for (unsigned i = 0; i < COUNT(paths); i++) {
				char label[64];

				snprintf(label, sizeof(label), "  %s", paths[i]);
				open_as(label, paths[i], flags[f], flags[f] & O_CREAT ? 0600 : 0, resolve[r]);
				unlink("nowhere");
			}
		}
}

static void magic(void)
{
	static const char *const names[] = { "/proc/self/fd/200",   "/proc/self/fd/200/", "/proc/self/cwd",
					     "/proc/self/cwd/file", "/proc/self/root",    "/proc/self/root/proc",
					     "/proc/self/ns/net",   "/proc/self/status",  "/proc/thread-self/status",
					     "/proc/self/cwd/link" };
	static const uint64_t resolve[] = { RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, RESOLVE_IN_ROOT,
					    RESOLVE_BENEATH };
	int proc = (int)MUST(open("/proc", O_PATH));

	MUST(dup2((int)MUST(open("file", O_RDONLY)), 200));
	for (unsigned r = 0; r < COUNT(resolve); r++)
		for (unsigned i = 0; i < COUNT(names); i++)
			for (int flags = 0; flags < 2; flags++) {
				struct open_how how = { .flags = flags ? O_PATH | O_NOFOLLOW : O_RDONLY, .resolve = resolve[r] };
				bool scoped = resolve[r] & (RESOLVE_IN_ROOT | RESOLVE_BENEATH);
				long fd = syscall(SYS_openat2, scoped ? proc : AT_FDCWD, names[i] + (scoped ? 6 : 0), &how,
						  sizeof(how));

				say("%s %d resolve %#llx: %s", names[i], flags, (unsigned long long)how.resolve,
				    fd < 0 ? errno_name(errno) : "ok");
				if (fd >= 0)
					close((int)fd);
			}
}

/* A chain of so many links. */
static void many(int count)
{
	char name[16], target[16] = "file";

	for (int i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		symlink(target, name);
		strcpy(target, name);
	}
	say("%d links:", count);
	open_as("  ", name, O_RDONLY, 0, RESOLVE_NO_MAGICLINKS);
	open_as("  ", name, O_RDONLY, 0, RESOLVE_BENEATH);
	open_as("  ", name, O_PATH, 0, RESOLVE_BENEATH);
	open_as("  ", name, O_RDONLY, 0, RESOLVE_NO_XDEV);
}

static void long_paths(void)
{
	char path[5000] = "", name[300];

	memset(name, 'x', 255);
	name[255] = '\0';
	open_as("255 bytes", name, O_RDONLY | O_CREAT, 0600, RESOLVE_BENEATH);
	memset(name, 'x', 256);
	name[256] = '\0';
	say("a name of 256 bytes:");
	FACT(syscall(SYS_openat2, AT_FDCWD, name, &(struct open_how){ .resolve = RESOLVE_BENEATH }, 24) == -1 &&
	     errno == ENAMETOOLONG);
	for (int i = 0; i < 4095 / 2; i++)
		strcat(path, "./");
	FACT(strlen(path) == 4094);
	FACT(syscall(SYS_openat2, AT_FDCWD, path, &(struct open_how){ .resolve = RESOLVE_NO_SYMLINKS }, 24) >= 0);
	strcat(path, "./");
	FACT(syscall(SYS_openat2, AT_FDCWD, path, &(struct open_how){ .resolve = RESOLVE_NO_SYMLINKS }, 24) == -1 &&
	     errno == ENAMETOOLONG);
	path[0] = '\0';
	for (int i = 0; i < 40; i++) {
		strcat(path, "d/");
		MUST(mkdir(path, 0755));
	}
	for (int i = 0; i < 40; i++)
		strcat(path, "../");
	strcat(path, "file");
	open_as("40 down, 40 up", path, O_RDONLY, 0, RESOLVE_BENEATH);
	open_as("40 down, 40 up", path, O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
}

int main(void)
{
	make_tree();
	links();
	magic();
	many(39);
	many(40);
	many(41);
	long_paths();
	return 0;
}

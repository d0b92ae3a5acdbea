// SPDX-License-Identifier: Apache-2.0
/* openat2 with each RESOLVE_ flag on every shape of a path, from the working directory, from a directory below and from the root. */
#include "fs_test.h"

#include <linux/openat2.h>

static long open_how(int fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC,
				.mode = flags & (O_CREAT | __O_TMPFILE) ? 0644 : 0,
				.resolve = resolve };

	long r = -1;

	/* EAGAIN: something on the machine was renamed or mounted while ".." was looked up (path_resolution: RESOLVE_BENEATH, RESOLVE_IN_ROOT) */
	for (int i = 0; i < 1000 && r < 0; i++) {
		r = syscall(SYS_openat2, fd, path, &how, sizeof(how));
		if (r < 0 && errno != EAGAIN)
			break;
	}
	return reach_fd(r);
}

#define RESOLVES(name, resolve)                                                  \
	static long name(const char *path)                                       \
	{                                                                        \
		return open_how(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, resolve); \
	}
RESOLVES(plain, 0)
RESOLVES(no_xdev, RESOLVE_NO_XDEV)
RESOLVES(no_magiclinks, RESOLVE_NO_MAGICLINKS)
RESOLVES(no_symlinks, RESOLVE_NO_SYMLINKS)
RESOLVES(beneath, RESOLVE_BENEATH)
RESOLVES(in_root, RESOLVE_IN_ROOT)
RESOLVES(in_root_no_symlinks, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)

static long path_no_symlinks(const char *path)
{
	return open_how(AT_FDCWD, path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
}

static long create_beneath(const char *path)
{
	return open_how(AT_FDCWD, path, O_RDWR | O_CREAT | O_NONBLOCK, RESOLVE_BENEATH);
}

static long create_in_root(const char *path)
{
	return open_how(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, RESOLVE_IN_ROOT);
}

#define CALL(name)          \
	{                   \
#name, name \
	}
static const struct path_call calls[] = {
	CALL(plain),   CALL(no_xdev), CALL(no_magiclinks),       CALL(no_symlinks),
	CALL(beneath), CALL(in_root), CALL(in_root_no_symlinks), CALL(path_no_symlinks),
};
static const struct path_call creating[] = { CALL(create_beneath), CALL(create_in_root) };

/* Across to what is mounted, and through magic links. */
static void crossings(void)
{
	static const char *const paths[] = {
		"/proc",
		"/proc/",
		"/proc/self",
		"/proc/self/status",
		"/proc/..",
		"proc",
		"dotdot/proc/self/cwd/file",
		"/proc/self/cwd",
		"/proc/self/root/t/file",
		"/proc/self/exe",
		"/proc/self/fd/0",
		"/dev/null",
		"../proc/..",
		"/proc/self/cwd/..",
		"/proc/../t/file",
	};
	static const uint64_t resolves[] = {
		0, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT
	};
	int proc = (int)MUST(open("/proc", O_PATH)), root = (int)MUST(open("/", O_PATH)), dir = (int)MUST(open("dir", O_PATH));

	for (size_t k = 0; k < COUNT(resolves); k++) {
		say("resolve %#lx", (long)resolves[k]);
		for (size_t i = 0; i < COUNT(paths); i++) {
			long result = open_how(AT_FDCWD, paths[i], O_PATH, resolves[k]);

			if (result == 0 && strncmp(reached, "new device", 10) == 0)
				reach("device");
			show_path(" open", paths[i], result);
		}
		show_path(" from /proc", "..", open_how(proc, "..", O_PATH, resolves[k]));
		show_path(" from /proc", "self/cwd", open_how(proc, "self/cwd", O_PATH, resolves[k]));
		show_path(" from /", "proc", open_how(root, "proc", O_PATH, resolves[k]));
		show_path(" from /", "../t/file", open_how(root, "../t/file", O_PATH, resolves[k]));
		show_path(" from /", "t/abs_dir/in", open_how(root, "t/abs_dir/in", O_PATH, resolves[k]));
		show_path(" from dir", "/in", open_how(dir, "/in", O_PATH, resolves[k]));
		show_path(" from dir", "up", open_how(dir, "up", O_PATH, resolves[k]));
		show_path(" from dir", "up/in", open_how(dir, "up/in", O_PATH, resolves[k]));
		show_path(" from dir", "sub/../../file", open_how(dir, "sub/../../file", O_PATH, resolves[k]));
		show_path(" from dir", "../../in", open_how(dir, "../../in", O_PATH, resolves[k]));
		show_path(" tmpfile", "..", open_how(dir, "sub/..", O_RDWR | O_TMPFILE, resolves[k]));
		show_path(" tmpfile", "..", open_how(dir, "..", O_RDWR | O_TMPFILE, resolves[k]));
	}
}

static void arguments(void)
{
	struct open_how how = { .flags = O_RDONLY };
	struct {
		struct open_how how;
		uint64_t more;
	} longer = { { .flags = O_RDONLY }, 0 };

	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, 0));
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, 23));
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &longer, sizeof(longer)));
	longer.more = 1;
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &longer, sizeof(longer)));
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, 1 << 20));
	OK(syscall(SYS_openat2, AT_FDCWD, "file", bad_pointer(), sizeof(how)));
	OK(syscall(SYS_openat2, AT_FDCWD, bad_pointer(), &how, sizeof(how)));
	OK(syscall(SYS_openat2, 1000, "file", &how, sizeof(how)));
	OK(syscall(SYS_openat2, 1000, "/t/file", &how, sizeof(how)));
	how.resolve = RESOLVE_IN_ROOT;
	OK(syscall(SYS_openat2, 1000, "/t/file", &how, sizeof(how)));
	how.resolve = RESOLVE_BENEATH;
	OK(syscall(SYS_openat2, 1000, "/t/file", &how, sizeof(how)));
	how.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how.resolve = 0x1000;
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_RDONLY, .mode = 0600 };
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_RDONLY | 1L << 40 };
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_CREAT | O_DIRECTORY, .mode = 0600 };
	OK(syscall(SYS_openat2, AT_FDCWD, "new", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_PATH | O_RDWR };
	OK(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_RDONLY, .resolve = RESOLVE_CACHED };
	long fd = syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));
	FACT(fd >= 0 || errno == EAGAIN);
}

int main(void)
{
	tree_make();
	all_shapes(calls, COUNT(calls), false);
	all_shapes(creating, COUNT(creating), true);
	crossings();
	arguments();
	MUST(chdir("dir/sub"));
	show_path("in_root", "/../..", in_root("/../.."));
	show_path("in_root", "../up/file", in_root("../up/file"));
	show_path("beneath", "..", beneath(".."));
	FACT(!tree_changed());
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fexecve and execveat: by descriptor, by directory, close-on-exec, scripts, flags, O_PATH. */
#include "difftest.h"

static const char *self;

static void try_(const char *what, int dirfd, const char *path, int flags)
{
	char *argv[] = { (char *)"by-descriptor", (char *)"x", NULL }, *envp[] = { NULL };

	EXEC_CHILD(what, syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/difftest-XXXXXX", path[PATH_MAX], exe[PATH_MAX];
	int fd, dir;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (argc > 1) {
		say("  executed as %s with %d arguments, trapped %d", argv[0], argc, trapped_ok());
		return argc;
	}
	MUST(n);
	exe[n] = '\0';
	self = exe;
	MUST(mkdtemp(folder) ? 0 : -1);
	MUST(chdir(folder));
	copy_file(exe, "program", 0755);
	write_file("script", "#!/bin/sh\necho '  script' $#\n", 0755);
	write_file("data", "no program\n", 0755);
	write_file("secret", "#!/bin/sh\n", 0644);
	MUST(symlink("program", "link"));
	MUST(mkdir("dir", 0755));

	fd = (int)MUST(open("program", O_RDONLY | O_CLOEXEC));
	try_("AT_EMPTY_PATH, O_CLOEXEC", fd, "", AT_EMPTY_PATH);
	try_("empty path without the flag", fd, "", 0);
	CHILD({
		char *av[] = { (char *)"fexecve", (char *)"x", NULL }, *ev[] = { NULL };

		fexecve(fd, av, ev);
		say("fexecve: %s", errno_name(errno));
	});
	close(fd);
	fd = (int)MUST(open("program", O_PATH));
	try_("O_PATH", fd, "", AT_EMPTY_PATH);
	close(fd);
	fd = (int)MUST(open("script", O_RDONLY));
	try_("script", fd, "", AT_EMPTY_PATH);
	close(fd);
	fd = (int)MUST(open("script", O_RDONLY | O_CLOEXEC));
	try_("script, O_CLOEXEC", fd, "", AT_EMPTY_PATH);
	close(fd);
	fd = (int)MUST(open("secret", O_RDONLY));
	try_("not executable", fd, "", AT_EMPTY_PATH);
	close(fd);
	dir = (int)MUST(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	try_("directory itself", dir, "", AT_EMPTY_PATH);
	try_("by directory", dir, "program", 0);
	try_("by directory, ./", dir, "./program", 0);
	try_("by directory, script, O_CLOEXEC", dir, "script", 0);
	try_("by directory, link", dir, "link", 0);
	try_("link with AT_SYMLINK_NOFOLLOW", dir, "link", AT_SYMLINK_NOFOLLOW);
	try_("program with AT_SYMLINK_NOFOLLOW", dir, "program", AT_SYMLINK_NOFOLLOW);
	try_("absent", dir, "absent", 0);
	try_("data", dir, "data", 0);
	try_("dir", dir, "dir", 0);
	try_("below a file", dir, "program/x", 0);
	try_("bad flag", dir, "program", 0x4);
	try_("bad descriptor", 999, "program", 0);
	try_("bad descriptor, empty", 999, "", AT_EMPTY_PATH);
	snprintf(path, sizeof(path), "%s/program", folder);
	try_("absolute path, bad descriptor", 999, path, 0);
	try_("AT_FDCWD", AT_FDCWD, "program", 0);
	fd = (int)MUST(open("dir", O_RDONLY));
	try_("wrong directory", fd, "program", 0);
	fd = (int)MUST(open("program", O_RDONLY));
	try_("directory is a file", fd, "program", 0);
	MUST(unlink("program"));
	try_("deleted, by descriptor", fd, "", AT_EMPTY_PATH);
	close(fd);
	fd = (int)MUST(memfd_create("guest", MFD_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy_file(self, path, 0755);
	try_("memfd", fd, "", AT_EMPTY_PATH);
	MUST(chdir("/"));
	snprintf(path, sizeof(path), "rm -rf %s", folder);
	return system(path);
}

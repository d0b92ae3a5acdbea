// SPDX-License-Identifier: Apache-2.0
/* Directories of the host in the root: /bind may be written, /bind_ro not, /bind_file is one file, /bind/inner is a mount in a mount. */
#include "fs_test.h"

#include <sys/statvfs.h>
#include <sys/xattr.h>

static void crossing(const char *from, const char *to)
{
	struct stat st;

	say("%s → %s", from, to);
	OK(rename(from, to));
	if (lstat(to, &st) == 0 && lstat(from, &st) != 0)
		rename(to, from);
	OK(link(from, to));
	if (lstat(from, &st) == 0 && st.st_nlink == 2)
		unlink(to);
	OK(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE));
	OK(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
	if (lstat(to, &st) == 0 && lstat(from, &st) != 0)
		rename(to, from);
}

static void crossings(void)
{
	static const char *const from[] = { "/t/file", "/bind/file", "/bind_ro/file", "/bind_file", "/bind/inner/file" };
	static const char *const to[] = { "/t/new",          "/bind/new",    "/bind_ro/new",
					  "/bind/inner/new", "/bind/../new", "/bind/to_out/new" };

	for (size_t i = 0; i < COUNT(from); i++)
		for (size_t k = 0; k < COUNT(to); k++)
			crossing(from[i], to[k]);
	crossing("/t/dir", "/bind/new");
	crossing("/t/empty", "/bind");
	crossing("/bind", "/t/new");
	crossing("/bind/inner", "/bind/new");
	crossing("/bind", "/bind/inner/new");
	crossing("/bind_file", "/new");
	crossing("/t/file", "/bind_file");
}

static void show_opened(const char *what, const char *path, int fd)
{
	say("%s \"%s\": %s", what, path, fd < 0 ? errno_name(errno) : "ok");
	if (fd >= 0)
		close(fd);
}

static void changes(const char *path)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	char name[64];

	say("\"%s\"", path);
	show_opened(" open", path, open(path, O_RDWR));
	show_opened(" read", path, open(path, O_RDONLY));
	show_opened(" create", path, open(path, O_RDONLY | O_CREAT, 0644));
	OK(open(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
	OK(open(path, O_RDONLY | O_TRUNC));
	OK(open(path, O_RDWR | O_TMPFILE, 0600));
	OK(access(path, R_OK));
	OK(access(path, W_OK));
	OK(chmod(path, 0755));
	OK(chown(path, -1, -1));
	OK(utimensat(AT_FDCWD, path, times, 0));
	OK(truncate(path, 1));
	OK(setxattr(path, "user.x", "x", 1, 0));
	OK(removexattr(path, "user.x"));
	OK(rmdir(path));
	OK(mkdir(path, 0755));
	OK(mknod(path, S_IFIFO | 0644, 0));
	OK(symlink("x", path));
	OK(make_socket(path));
	snprintf(name, sizeof(name), "%s/new", path);
	OK(open(name, O_WRONLY | O_CREAT, 0644));
	OK(rename(name, path));
	OK(unlink(name));
	OK(mkdir(name, 0755));
	OK(rmdir(name));
	OK(symlink("x", name));
	OK(unlink(name));
	OK(unlink(path));
}

static void where(const char *path)
{
	char text[128], link[128];
	struct stat here, above;
	ssize_t n;

	if (OK(chdir(path)) != 0)
		return;
	say("in %s", syscall(SYS_getcwd, text, sizeof(text)) > 0 ? text : errno_name(errno));
	n = readlink("/proc/self/cwd", link, sizeof(link));
	say("cwd %.*s", (int)n, link);
	stat(".", &here);
	stat("..", &above);
	FACT(here.st_ino != above.st_ino || here.st_dev != above.st_dev);
	MUST(chdir(".."));
	say("above: %s", syscall(SYS_getcwd, text, sizeof(text)) > 0 ? text : errno_name(errno));
	MUST(chdir("/t"));
}

static void reaching(void)
{
	static const char *const paths[] = {
		"/bind/..",        "/bind/../t/file", "/bind/inner/..",          "/bind/inner/../..", "/bind/to_out",
		"/bind/to_abs",    "/bind/to_above",  "/bind/inner/../file",     "/bind_file/",       "/bind_file/..",
		"/t/to_bind/file", "/t/to_bind/..",   "/t/to_bind/inner/../file"
	};

	MUST(symlink("../bind", "/t/to_bind"));
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct stat st, other;

		if (stat(paths[i], &st) == 0 && stat("/bind/file", &other) == 0 && st.st_ino == other.st_ino &&
		    st.st_dev == other.st_dev)
			say("%s: /bind/file", paths[i]);
		else
			say("%s: %s", paths[i], stat(paths[i], &st) == 0 ? stat_name(&st) : errno_name(errno));
	}
	MUST(unlink("/t/to_bind"));
}

int main(void)
{
	struct statvfs fs;
	struct dirent *entry;
	char text[64];
	int count = 0;
	DIR *dir;

	tree_make();
	OK(access("/bind/file", F_OK));
	reaching();
	where("/bind");
	where("/bind/inner");
	where("/bind_ro/folder");
	where("/t/../bind/folder");
	crossings();
	changes("/bind");
	changes("/bind_ro");
	changes("/bind_ro/file");
	changes("/bind_ro/folder");
	changes("/bind_ro/none");
	changes("/bind_ro/to_file");
	changes("/bind/inner");
	changes("/bind_file");
	OK(mkdir("/bind/fresh", 0755));
	OK(rmdir("/bind/fresh"));
	FACT(statvfs("/bind_ro", &fs) == 0 && fs.f_flag & ST_RDONLY);
	FACT(statvfs("/bind", &fs) == 0 && !(fs.f_flag & ST_RDONLY));
	read_file("/bind_file", text, sizeof(text));
	say("bind_file: %s", text);
	dir = opendir("/");
	while (dir && (entry = readdir(dir)))
		count += strncmp(entry->d_name, "bind", 4) == 0;
	SHOW(count);
	int fd = (int)MUST(open("/bind/inner", O_RDONLY | O_DIRECTORY));
	OK(openat(fd, "../file", O_RDONLY));
	OK(openat(fd, "../../t/file", O_RDONLY));
	OK(openat(fd, "../../../../../etc/passwd", O_RDONLY));
	FACT(!tree_changed());
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* chroot by descriptors and links of /proc, in vfork children, over fork and execve; what /proc tells of it. */
#include "../fs/fs_test.h"

static void where(const char *what)
{
	char text[256];
	long n = syscall(SYS_getcwd, text, sizeof(text));

	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static void link_says(const char *what, const char *path)
{
	char text[256];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static void fd_says(const char *what, int proc, const char *kind, int fd)
{
	char path[64], text[256];
	ssize_t n;

	snprintf(path, sizeof(path), fd < 0 ? "self/%s" : "self/%s/%d", kind, fd);
	n = readlinkat(proc, path, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static void by_descriptor(void)
{
	int dir = (int)MUST(open("/t/dir", O_RDONLY | O_DIRECTORY)), file = (int)MUST(open("/t/file", O_RDONLY));
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	OK(chroot(path));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/..", dir);
	CHILD(OK(chroot(path)); OK(access("/file", F_OK)););
	CHILD(OK(chroot("/proc/self/cwd/dir")); OK(access("/in", F_OK)););
	CHILD(OK(chroot("/proc/self/root/t")); OK(access("/file", F_OK)); OK(chroot("/")); OK(access("/file", F_OK)););
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	OK(chroot(path));
	OK(access("/in", F_OK));
	OK(access("/proc/self", F_OK));
}

/* What /proc says to somebody in another root, by a descriptor of /proc. */
static void told(void)
{
	int proc = (int)MUST(open("/proc", O_RDONLY | O_DIRECTORY)), outer = (int)MUST(open("/", O_RDONLY | O_DIRECTORY));
	int sub = (int)MUST(open("/t/dir/sub", O_RDONLY | O_DIRECTORY)), own = (int)MUST(open("/t/dir", O_RDONLY | O_DIRECTORY));

	OK(chroot("/t/dir"));
	fd_says("root", proc, "root", -1);
	fd_says("cwd", proc, "cwd", -1);
	fd_says("outer", proc, "fd", outer);
	fd_says("sub", proc, "fd", sub);
	fd_says("own", proc, "fd", own);
	fd_says("exe", proc, "exe", -1);
	OK(faccessat(proc, "self/root/in", F_OK, 0));
	OK(faccessat(proc, "self/cwd/dir", F_OK, 0));
	OK(faccessat(proc, "self/root/t", F_OK, 0));
	MUST(chdir("/sub"));
	fd_says("cwd", proc, "cwd", -1);
	where("getcwd");
	MUST(fchdir(outer));
	fd_says("cwd", proc, "cwd", -1);
	where("getcwd");
	MUST(chdir("t"));
	where("getcwd");
}

/* The root of others. */
static void others(void)
{
	struct gate gate = gate_new();
	char path[64];
	pid_t child;

	child = fork();
	if (child == 0) {
		MUST(chroot("/t/dir"));
		gate_open(&gate);
		pause();
	}
	gate_wait(&gate);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)child);
	link_says("root of a child", path);
	snprintf(path, sizeof(path), "/proc/%d/root/in", (int)child);
	OK(access(path, F_OK));
	snprintf(path, sizeof(path), "/proc/%d/root/t", (int)child);
	OK(access(path, F_OK));
	snprintf(path, sizeof(path), "/proc/%d/root/up/file", (int)child);
	OK(access(path, F_OK));
	snprintf(path, sizeof(path), "/proc/%d/root", (int)child);
	CHILD(OK(chroot(path)); OK(access("/in", F_OK)););
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* As Go starts a program with SysProcAttr.Chroot. */
static void by_vfork(void)
{
	pid_t child;
	int status;

	copy_file("/prog", "/t/dir/program", 0755);
	child = vfork();
	if (child == 0) {
		char name[] = "program", what[] = "executed";
		char *argv[] = { name, what, NULL }, *environment[] = { NULL };

		if (chroot("/t/dir") != 0 || chdir("/") != 0)
			_exit(90);
		execve("/program", argv, environment);
		_exit(91);
	}
	FACT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	OK(access("/t/dir/in", F_OK));
	where("parent");
	child = vfork();
	if (child == 0)
		_exit(chroot("/t/dir") != 0);
	FACT(waitpid(child, &status, 0) == child && status == 0);
	OK(access("/t/dir/in", F_OK));
}

/* Sockets and links by the root; and what may be made there. */
static void things_in_it(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/sub/s" };
	int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	OK(chroot("/t/dir"));
	OK(chdir("/"));
	OK(bind(a, (struct sockaddr *)&name, sizeof(name)));
	OK(listen(a, 1));
	OK(connect(b, (struct sockaddr *)&name, sizeof(name)));
	OK(symlink("/sub", "to_sub"));
	OK(mkdir("/to_sub/made", 0755));
	OK(rename("/to_sub/made", "/made"));
	OK(link("/in", "/made/hard"));
	OK(stat("/made/../../../sub/../in", &st));
	FACT(st.st_nlink == 2);
	OK(rmdir("/"));
	OK(mkdir("/", 0755));
	OK(rmdir("/.."));
	OK(rename("/", "/x"));
	OK(unlink("/made/hard"));
	OK(open("/", O_RDWR));
	OK(open("/", O_RDWR | O_CREAT, 0644));
	OK(open("/..", O_PATH));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		OK(access("/in", F_OK));
		OK(access("/t", F_OK));
		where(argv[1]);
		return 7;
	}
	tree_make();
	CHILD(by_descriptor());
	CHILD(told());
	others();
	by_vfork();
	CHILD(things_in_it());
	where("unchanged");
	return 0;
}

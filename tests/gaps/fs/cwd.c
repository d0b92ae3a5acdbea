// SPDX-License-Identifier: Apache-2.0
/* The working directory: getcwd in all sizes and of directories that moved or went; threads, children, CLONE_FS, exec, no search permission. */
#include "fs_test.h"

#include <sched.h>

static void where(const char *what)
{
	char text[256];
	long n;

	memset(text, 0, sizeof(text));
	n = syscall(SYS_getcwd, text, sizeof(text));
	if (n < 0)
		say("%s: %s", what, errno_name(errno));
	else
		say("%s: %s (%ld)", what, text, n);
}

static void sizes(void)
{
	char *text;

	MUST(chdir("/t/dir/sub"));
	for (int size = 0; size <= 13; size++) {
		text = tail((size_t)size + 1);
		show_path("getcwd", "", syscall(SYS_getcwd, text + 1, (size_t)size) > 0 ? 0 : -1);
	}
	text = tail(8);
	SHOW(syscall(SYS_getcwd, text, 4096));
	SHOW(syscall(SYS_getcwd, NULL, 4096));
	SHOW(syscall(SYS_getcwd, bad_pointer(), 4096));
	SHOW(syscall(SYS_getcwd, bad_pointer(), 2));
	SHOW(syscall(SYS_getcwd, read_only_copy("x", 2), 4096));
	SHOW(syscall(SYS_getcwd, tail(11), 1L << 40));
	MUST(chdir("/"));
	SHOW(syscall(SYS_getcwd, tail(1), 1));
	SHOW(syscall(SYS_getcwd, tail(2), 2));
	MUST(chdir("/t"));
}

static void gone(void)
{
	struct stat st;

	MUST(mkdir("/t/going", 0755));
	MUST(mkdir("/t/going/deep", 0755));
	MUST(chdir("/t/going/deep"));
	where("there");
	MUST(rename("/t/going", "/t/went"));
	where("renamed");
	MUST(rmdir("/t/went/deep"));
	where("deleted");
	SHOW(syscall(SYS_getcwd, bad_pointer(), 4096));
	SHOW(syscall(SYS_getcwd, bad_pointer(), 1));
	OK(stat(".", &st));
	OK(stat("..", &st));
	show_path("open", ".", reach_fd(open(".", O_RDONLY)));
	show_path("open", "..", reach_fd(open("..", O_RDONLY)));
	show_path("open", "../../file", reach_fd(open("../../file", O_RDONLY)));
	OK(open("new", O_RDWR | O_CREAT, 0644));
	OK(mkdir("new", 0755));
	OK(open("new", O_RDONLY));
	OK(symlink("x", "new"));
	OK(rename("/t/file", "new"));
	OK(rmdir("."));
	OK(chdir("."));
	OK(chdir(".."));
	where("above");
	MUST(chdir("/t"));
	MUST(rmdir("/t/went"));
	MUST(mkdir("/t/going", 0755));
	MUST(chdir("/t/going"));
	MUST(rmdir("../going"));
	CHILD(where("child of one in a deleted directory"); OK(chdir("..")); where("child"););
	where("deleted");
	MUST(mkdir("/t/going", 0755));
	where("made again");
	OK(chdir("../going"));
	where("now");
	MUST(chdir("/t"));
	MUST(rmdir("/t/going"));
}

static void links(void)
{
	MUST(chdir("/t/to_dir"));
	where("through a link");
	MUST(chdir("up/abs_dir/sub"));
	where("through two");
	MUST(chdir("../../../.."));
	where("far up");
	MUST(chdir("/t//dir/./sub/../"));
	where("dots");
	OK(chdir("/t/root/proc/self/fd/.."));
	OK(chdir("/dev"));
	where("dev");
	OK(chdir("../proc"));
	where("proc");
	OK(chdir(".."));
	where("root");
	MUST(chdir("/t"));
}

static void *thread(void *arg)
{
	OK(chdir("/t/dir"));
	return arg;
}

static void sharing(void)
{
	pthread_join(thread_start(thread, NULL), NULL);
	where("a thread went");
	CHILD(OK(chdir("/t/empty")); where("in the child"););
	where("a child went");
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		OK(chdir("/t/empty"));
		_exit(0);
	}
	reap(pid);
	where("a child with CLONE_FS went");
	pid = vfork();
	if (pid == 0) {
		syscall(SYS_chdir, "/t/dir");
		_exit(0);
	}
	reap(pid);
	where("a vfork child went");
}

static void closed(void)
{
	/* Also without permission to search what is above: the kernel does not look. */
	MUST(mkdir("/t/shut", 0755));
	MUST(mkdir("/t/shut/inner", 0755));
	write_file("/t/shut/inner/f", "x", 0644);
	MUST(chdir("/t/shut/inner"));
	MUST(chmod("/t/shut", 0));
	pid_t pid = fork_or_die();
	if (pid == 0) {
		if (geteuid() != 0 || become(65534, 65534)) {
			where("below a shut directory");
			show_path("open", "f", reach_fd(open("f", O_RDONLY)));
			show_path("open", "../inner/f", reach_fd(open("../inner/f", O_RDONLY)));
			show_path("open", "/t/shut/inner/f", reach_fd(open("/t/shut/inner/f", O_RDONLY)));
			show_path("open", "..", reach_fd(open("..", O_RDONLY)));
			show_path("open", "../..", reach_fd(open("../..", O_RDONLY)));
			show_path("open O_PATH", "..", reach_fd(open("..", O_PATH)));
			OK(chdir(".."));
			OK(chdir("../.."));
		}
		_exit(0);
	}
	reap(pid);
	MUST(chdir("/t"));
	remove_all(AT_FDCWD, "/t/shut");
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		where("executed");
		return 0;
	}
	where("at the start");
	tree_make();
	where("t");
	sizes();
	gone();
	links();
	sharing();
	closed();
	MUST(chdir("/t/dir"));
	EXEC_CHILD("exec", execl("/prog", argv[0], "x", NULL));
	EXEC_CHILD("exec", execl("../../prog", argv[0], "x", NULL));
	MUST(mkdir("/t/going", 0755));
	MUST(chdir("/t/going"));
	MUST(rmdir("/t/going"));
	EXEC_CHILD("exec in a deleted directory", execl("/prog", argv[0], "x", NULL));
	return 0;
}

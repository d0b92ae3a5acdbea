// SPDX-License-Identifier: Apache-2.0
/* Programs and scripts of the root: by each kind of path, by descriptors, interpreters named by links; what /proc says of them. */
#include "fs_test.h"

static void say_link(const char *path)
{
	char text[128];
	ssize_t n = readlink(path, text, sizeof(text));

	if (n < 0)
		say("  %s: %s", path, errno_name(errno));
	else
		say("  %s: %.*s", path, (int)n, text);
}

/* What the executed one prints. */
static int executed(int argc, char **argv)
{
	char text[256];
	int fd;

	say("  executed, %d arguments", argc);
	for (int i = 0; i < argc; i++)
		say("  argument %d: %s", i, strncmp(argv[i], "/dev/fd/", 8) == 0 ? "/dev/fd" : argv[i]);
	say_link("/proc/self/exe");
	say_link("/proc/self/cwd");
	say_link("/proc/self/root");
	if (strcmp(argv[0], "descriptor") == 0 || (argc > 2 && strncmp(argv[2], "/dev/fd/", 8) == 0))
		return 0; /* its name is a number before Linux 6.14 */
	read_file("/proc/self/comm", text, sizeof(text));
	say("  comm: %s", text);
	fd = open("/proc/self/exe", O_RDONLY);
	show_path("  open", "/proc/self/exe", fd < 0 ? -1 : 0);
	close(fd);
	return 0;
}

static void run(const char *what, const char *path)
{
	EXEC_CHILD(what, execl(path, "zero", "@", NULL));
}

static void run_at(const char *what, int fd, const char *path, int flags)
{
	EXEC_CHILD(what, syscall(SYS_execveat, fd, path, (char *[]){ (char[]){ "descriptor" }, (char[]){ "@" }, NULL },
				 (char *[]){ NULL }, flags));
}

static void run_in(const char *directory, const char *path)
{
	MUST(chdir(directory));
	run("from elsewhere", path);
	MUST(chdir("/t"));
}

static void programs(void)
{
	run("absolute", "/prog");
	run("dots", "/../t/dir/.././/program");
	run("relative", "program");
	run("by a link", "to_program");
	run("by an absolute link", "abs_program");
	run("by a link above", "above_program");
	run("slash", "program/");
	run("below", "program/x");
	run("directory", "dir");
	run("directory/", "dir/");
	run("not executable", "file");
	run("loop", "loop");
	run("dangling", "dangling");
	run("outside", "out");
	run("empty", "");
	run("fifo", "fifo");
	run("socket", "socket");
	run("none", "none/x");
	run("/proc/self/exe", "/proc/self/exe");
	run("/proc/self/cwd", "/proc/self/cwd/program");
	run("/proc/self/root", "/proc/self/root/prog");
	run("host's", "/bin/sh");
	run("host's", "/../../../../bin/sh");
	run("host's", "/usr/bin/python3");
	run_in("/t/dir/sub", "../../program");
	run_in("/", "t/program");
	run_in("/", "../../prog");
}

static void scripts(void)
{
	static const struct {
		const char *name, *line;
	} list[] = {
		{ "absolute", "#!/t/program @\n" },
		{ "link", "#!/t/to_program @\n" },
		{ "dots", "#!/../../t/dir/../program @\n" },
		{ "relative", "#!program @\n" },
		{ "relative dots", "#! ./dir/../program @\n" },
		{ "none", "#!/t/none\n" },
		{ "host's", "#!/bin/sh\n" },
		{ "directory", "#!/t/dir\n" },
		{ "loop", "#!/t/loop\n" },
		{ "root", "#!/\n" },
		{ "file", "#!/t/file\n" },
		{ "magic", "#!/proc/self/exe @\n" },
		{ "root link", "#!/t/root/prog @\n" },
		{ "slash", "#!/t/program/ @\n" },
		{ "script", "#!/t/inner\n" },
		{ "empty", "#!\n" },
	};

	write_file("inner", "#!/t/program @\n", 0755);
	for (size_t i = 0; i < COUNT(list); i++) {
		char what[64];

		write_file("new", list[i].line, 0755);
		snprintf(what, sizeof(what), "script: %s", list[i].name);
		run(what, "new");
		snprintf(what, sizeof(what), "script by link: %s", list[i].name);
		run(what, "/t/dangling");
	}
	write_file("new", "#!program @\n", 0755);
	run_in("/t/dir", "../new");
}

static void descriptors(void)
{
	int program = (int)MUST(open("program", O_RDONLY | O_CLOEXEC)), path = (int)MUST(open("program", O_PATH)),
	    dir = (int)MUST(open("dir", O_RDONLY | O_DIRECTORY)), link = (int)MUST(open("to_program", O_PATH | O_NOFOLLOW)), script;
	char text[64];

	run_at("AT_EMPTY_PATH", program, "", AT_EMPTY_PATH);
	run_at("AT_EMPTY_PATH of O_PATH", path, "", AT_EMPTY_PATH);
	run_at("empty", program, "", 0);
	run_at("relative", dir, "../program", 0);
	run_at("relative link", dir, "up/to_program", 0);
	run_at("AT_SYMLINK_NOFOLLOW", dir, "up/to_program", AT_SYMLINK_NOFOLLOW);
	run_at("AT_SYMLINK_NOFOLLOW", dir, "up/program", AT_SYMLINK_NOFOLLOW);
	run_at("a link", link, "", AT_EMPTY_PATH);
	run_at("a link", link, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
	run_at("a directory", dir, "", AT_EMPTY_PATH);
	run_at("absolute", dir, "/t/program", 0);
	run_at("absolute of none", 1000, "/t/program", 0);
	run_at("none", 1000, "program", 0);
	run_at("none", 1000, "", AT_EMPTY_PATH);
	run_at("above", dir, "../../../../prog", 0);
	run_at("bad flags", dir, "../program", 0x10000000);
	write_file("new", "#!/t/program @\n", 0755);
	script = (int)MUST(open("new", O_RDONLY));
	run_at("script", script, "", AT_EMPTY_PATH);
	run_at("script", dir, "../new", 0);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", program);
	run("by /proc/self/fd", text);
	snprintf(text, sizeof(text), "/proc/self/fd/%d/../program", dir);
	run("through /proc/self/fd", text);
	OK(rename("program", "dir/moved"));
	run_at("renamed", program, "", AT_EMPTY_PATH);
	OK(unlink("dir/moved"));
	run_at("deleted", path, "", AT_EMPTY_PATH);
}

int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "@") == 0)
			return executed(argc, argv);
	tree_make();
	say_link("/proc/self/exe");
	copy_file("/proc/self/exe", "program", 0755);
	MUST(symlink("program", "to_program"));
	MUST(symlink("/t/program", "abs_program"));
	MUST(symlink("../../../../t/./program", "above_program"));
	programs();
	scripts();
	descriptors();
	return 0;
}

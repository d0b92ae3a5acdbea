/* SPDX-License-Identifier: Apache-2.0 */
/* /proc in a pid namespace: whom it lists, what it calls them, and what its files say of them. */
#include "difftest.h"
#include <dirent.h>

static char text[16384];

/* Numbers of a directory: 1, the caller's, others. */
static void listing(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int init = 0, own = 0, others = 0, dots = 0;

	if (!dir) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	while ((entry = readdir(dir))) {
		int number = atoi(entry->d_name);

		dots += entry->d_name[0] == '.';
		init += number == 1;
		own += number > 1 && number == getpid();
		others += number > 1 && number != getpid();
	}
	closedir(dir);
	say("%s: init %d, the caller %d, others %d, dots %d", path, init, own, others, dots);
}

static void link_of(const char *path)
{
	char target[256], own[32];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = 0;
	snprintf(own, sizeof(own), "%d", getpid());
	say("%s -> %s", path, n < 0 ? errno_name(errno) : getpid() != 1 && strcmp(target, own) == 0 ? "own" : target);
}

static const char *whose(int pid)
{
	return pid < 2 ? (pid == 1 ? "1" : pid == 0 ? "0" : "-1") : pid == getpid() ? "own" : "other";
}

static void stat_of(const char *path)
{
	int pid, ppid, group, session, tty, foreground;
	char state, *end;

	if (!read_file(path, text, sizeof(text))) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	end = strrchr(text, ')');
	pid = atoi(text);
	sscanf(end + 2, "%c %d %d %d %d %d", &state, &ppid, &group, &session, &tty, &foreground);
	say("%s: pid %s parent %s group %s session %s foreground %s", path, whose(pid), whose(ppid), whose(group), whose(session),
	    foreground < 1 ? "none" : whose(foreground));
}

static void status_of(const char *path)
{
	static const char *const names[] = { "Tgid:", "Pid:", "PPid:", "TracerPid:", NULL };

	if (!read_file(path, text, sizeof(text))) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	for (int i = 0; names[i]; i++) {
		char *at = strstr(text, names[i]);

		while (at && at != text && at[-1] != '\n')
			at = strstr(at + 1, names[i]);
		if (at)
			say("%s: %s %s", path, names[i], whose(atoi(at + strlen(names[i]))));
	}
}

static void files(void)
{
	char path[64];

	stat_of("/proc/self/stat");
	stat_of("/proc/thread-self/stat");
	stat_of("/proc/1/stat");
	stat_of("/proc/1/task/1/stat");
	stat_of("/proc//1/../1/./stat");
	status_of("/proc/self/status");
	status_of("/proc/1/status");
	status_of("/proc/1/task/1/status");
	if (getpid() == 1)
		return;
	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	FACT(access(path, R_OK) == 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	FACT(access(path, R_OK) == 0);
}

static void by_other_names(void)
{
	int proc = (int)MUST(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), init, fd;
	char cwd[256];
	ssize_t n;

	OK(openat(proc, "1/comm", O_RDONLY | O_CLOEXEC));
	OK(openat(proc, "2/comm", O_RDONLY | O_CLOEXEC));
	OK(faccessat(proc, "1", F_OK, 0));
	OK(faccessat(proc, "2", F_OK, 0));
	init = (int)MUST(openat(proc, "1", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	fd = (int)OK(openat(init, "stat", O_RDONLY | O_CLOEXEC));
	fd = openat(init, "stat", O_RDONLY | O_CLOEXEC);
	n = read(fd, text, 2);
	FACT(n == 2 && !memcmp(text, "1 ", 2));
	MUST(fchdir(proc));
	fd = open("1/stat", O_RDONLY | O_CLOEXEC);
	n = read(fd, text, 2);
	FACT(n == 2 && !memcmp(text, "1 ", 2));
	MUST(chdir("/proc/1"));
	say("%s", getcwd(cwd, sizeof(cwd)) ? cwd : errno_name(errno));
	MUST(chdir("task"));
	say("%s", getcwd(cwd, sizeof(cwd)) ? cwd : errno_name(errno));
	MUST(chdir("1"));
	say("%s", getcwd(cwd, sizeof(cwd)) ? cwd : errno_name(errno));
	MUST(chdir("../../../self"));
	if (getpid() == 1)
		say("%s", getcwd(cwd, sizeof(cwd)) ? cwd : errno_name(errno));
	MUST(chdir("/"));
}

static void paths(void)
{
	static const char *const names[] = { "/proc/1",        "/proc/2",  "/proc/2/stat", "/proc/2/task", "/proc/01",
					     "/proc/1/task/2", "/proc/1/", "/proc/2/",     "/proc/1/fd/0", "/proc/2/fd/0" };
	struct stat st;

	for (size_t i = 0; i < COUNT(names); i++) {
		say("%s: %s %s", names[i], stat(names[i], &st) ? errno_name(errno) : "there",
		    open(names[i], O_PATH | O_CLOEXEC) < 0 ? errno_name(errno) : "opened");
	}
	link_of("/proc/self");
	if (getpid() == 1)
		link_of("/proc/thread-self");
	FACT(readlink("/proc/1/exe", text, sizeof(text)) > 0 && strstr(text, "pid_proc"));
	SHOW(readlink("/proc/1/cwd", text, 1));
	SHOW(readlink("/proc/2/cwd", text, 1));
}

int main(void)
{
	struct gate ready = gate_new(), end = gate_new();
	pid_t pid;

	paths();
	listing("/proc");
	listing("/proc/self/task");
	listing("/proc/1/task");
	listing("/proc/2/task");
	files();
	by_other_names();
	CHILD({
		link_of("/proc/self");
		listing("/proc");
		listing("/proc/self/task");
		files();
	});
	CHILD(MUST(setsid()); stat_of("/proc/self/stat"); listing("/proc"));
	MUST(setsid());
	stat_of("/proc/self/stat");
	CHILD(stat_of("/proc/self/stat"));
	pid = fork_or_die();
	if (pid == 0) {
		gate_open(&ready);
		gate_wait(&end);
		_exit(0);
	}
	gate_wait(&ready);
	listing("/proc");
	gate_open(&end);
	wait_state(pid, pid, 'Z');
	listing("/proc");
	SHOW(kill(pid, 0));
	reap(pid);
	listing("/proc");
	SHOW(kill(pid, 0));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* execve: which errno for which file, and the caller lives on undisturbed. */
#include <sys/socket.h>
#include <sys/un.h>

#include "difftest.h"

static void run(const char *path)
{
	char *argv[] = { (char *)"x", NULL }, *envp[] = { NULL };

	CHILD({
		const char *error;

		syscall(SYS_execve, path, argv, envp);
		error = errno_name(errno);
		say("%.40s: %s, trapped %d", path, error, trapped_ok());
	});
}

static void file(const char *name, const void *bytes, size_t size)
{
	int fd = (int)MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755));

	if (write(fd, bytes, size) != (ssize_t)size)
		_exit(97);
	close(fd);
	run(name);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/difftest-XXXXXX", text[5000], head[64] = "\177ELF\2\1\1";
	int fd;

	if (argc == 1 && strcmp(argv[0], "x") == 0) {
		say("executed");
		return 0;
	}
	MUST(mkdtemp(folder) ? 0 : -1);
	MUST(chmod(folder, 0777));
	MUST(chdir(folder));
	run("absent");
	run("absent/below");
	run("");
	write_file("plain", "x", 0644);
	run("plain");
	run("plain/below");
	MUST(mkdir("dir", 0755));
	run("dir");
	run("dir/");
	MUST(symlink("loop", "loop"));
	run("loop");
	MUST(symlink("absent", "dangling"));
	run("dangling");
	MUST(bind((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&(struct sockaddr_un){ AF_UNIX, "socket" }, 20));
	run("socket");
	run("/dev/null");
	memset(text, 'a', sizeof(text));
	text[256] = '\0';
	run(text);
	memset(text, 'a', sizeof(text));
	for (size_t i = 100; i < sizeof(text); i += 100)
		text[i] = '/';
	text[4999] = '\0';
	run(text);
	text[4095] = '\0';
	run(text);
	file("empty", "", 0);
	file("one-byte", "x", 1);
	file("zeros", text + sizeof(text) - 1, 1);
	file("elf-magic", head, 4);
	file("elf-short", head, sizeof(head));
	head[4] = 1;
	file("elf-32", head, sizeof(head));
	copy_file("/proc/self/exe", "cut", 0755);
	MUST(truncate("cut", 100));
	run("cut");
	copy_file("/proc/self/exe", "busy", 0755);
	fd = (int)MUST(open("busy", O_WRONLY));
	run("busy"); /* ETXTBSY */
	close(fd);
	AS_USER(1000, 1000, {
		MUST(chdir(folder));
		run("plain");
		run("dir/x");
		MUST(chdir("/"));
	});
	MUST(chmod("dir", 0700));
	MUST(chmod("busy", 0711));
	AS_USER(1000, 1000, {
		MUST(chdir(folder));
		run("dir/x");
	});
	MUST(chdir("/"));
	snprintf(text, sizeof(text), "rm -rf %s", folder);
	return system(text);
}

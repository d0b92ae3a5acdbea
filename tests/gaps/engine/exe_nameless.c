// SPDX-License-Identifier: Apache-2.0
/* A program without a name, from a memfd or a file that was unlinked: it opens, looks at and executes itself by /proc/self/exe all the same. */
#include "difftest.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	FACT(from >= 0 && fstat(from, &st) == 0);
	for (off_t at = 0; at < st.st_size;)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			break;
	close(from);
}

/* What the second one sees of itself. */
static void look(const char *kind)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), again = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char magic[4] = "", text[200] = "";
	struct stat st, by_path;
	ssize_t n = readlink("/proc/self/exe", text, sizeof(text) - 1);

	printf("%s\n", kind);
	FACT(fd >= 0 && again >= 0);
	FACT(read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4));
	FACT(fstat(fd, &st) == 0 && (kind[0] == 'm' || st.st_nlink == 0)); /* gVisor counts a memfd's */
	FACT(stat("/proc/self/exe", &by_path) == 0 && by_path.st_ino == st.st_ino);
	FACT(n > 10 && !strcmp(text + n - 10, " (deleted)"));
	FACT(kind[0] != 'm' || fcntl(fd, F_GET_SEALS) == SEALS);
	OK(open("/proc/self/exe", O_WRONLY | O_CLOEXEC));
	close(fd);
	close(again);
}

int main(int argc, char **argv)
{
	char path[] = "exe_namelessXXXXXX", file_word[] = "file", memfd_word[] = "memfd", third[] = "third";
	char *arguments[] = { argv[0], memfd_word, NULL, NULL };
	int fd, status = -1;
	pid_t pid;

	if (argc == 2) {
		look(argv[1]);
		fflush(stdout);
		arguments[1] = argv[1];
		arguments[2] = third;
		execv("/proc/self/exe", arguments);
		FACT(!"executed itself");
		return 1;
	}
	if (argc == 3) {
		look(argv[1]);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		if (i == 0) {
			fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
			copy_self(fd);
			FACT(fcntl(fd, F_ADD_SEALS, SEALS) == 0);
		} else {
			int writer = mkstemp(path);

			copy_self(writer);
			fchmod(writer, 0700);
			close(writer);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			FACT(unlink(path) == 0);
			arguments[1] = file_word;
		}
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			fexecve(fd, arguments, environ);
			_exit(3);
		}
		waitpid(pid, &status, 0);
		FACT(status == 0);
		close(fd);
	}
	return 0;
}

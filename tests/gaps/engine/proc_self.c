/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/self says of the program: exe, cmdline, comm, environ, auxv, maps, and the same after exec. */
#include "difftest.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

extern char **environ;
extern char __executable_start;

static void say_file(const char *path)
{
	char text[4096];
	size_t n = read_file(path, text, sizeof(text));

	for (size_t i = 0; i + 1 < n; i++)
		if (text[i] == '\0')
			text[i] = '|';
	text[strcspn(text, "\n")] = '\0';
	say("%s: %s", path, text);
}

static void auxv(void)
{
	const ElfW(Ehdr) *head = (const void *)&__executable_start;
	static ElfW(auxv_t) table[128];
	int fd = open("/proc/self/auxv", O_RDONLY), same = 1;
	ssize_t n = read(fd, table, sizeof(table));
	char *base = (char *)getauxval(AT_BASE);

	close(fd);
	FACT(getauxval(AT_PHDR) == (unsigned long)head + head->e_phoff);
	FACT(getauxval(AT_PHNUM) == head->e_phnum && getauxval(AT_PHENT) == head->e_phentsize);
	FACT(getauxval(AT_ENTRY) == (unsigned long)head + head->e_entry);
	FACT(base && memcmp(base, ELFMAG, SELFMAG) == 0);
	FACT(getauxval(AT_SYSINFO_EHDR) != 0);
	FACT(getauxval(AT_PAGESZ) == 4096 && getauxval(AT_CLKTCK) == 100);
	FACT(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid() && getauxval(AT_SECURE) == 0);
	FACT(getauxval(AT_RANDOM) && getauxval(AT_PLATFORM) && strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	say("AT_EXECFN %s", strrchr((char *)getauxval(AT_EXECFN), '/') + 1);
	for (ElfW(auxv_t) *a = table; (char *)a < (char *)table + n && a->a_type != AT_NULL; a++)
		if (a->a_type != AT_HWCAP && a->a_un.a_val != getauxval(a->a_type)) /* glibc has its own idea of AT_HWCAP */
			same = 0;
	say("auxv entries the same: %d", n > 0 && same);
}

static void maps(void)
{
	char exe[PATH_MAX], line[4096 + 200];
	int heap = 0, stack = 0, own = 0, vdso = 0;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *f = fopen("/proc/self/maps", "r");

	exe[n] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		heap += strstr(line, "[heap]") != NULL;
		stack += strstr(line, "[stack]") != NULL;
		vdso += strstr(line, "[vdso]") != NULL;
		own += strstr(line, exe) != NULL;
	}
	fclose(f);
	say("maps: own file %d, stack %d", own > 0, stack);
	(void)heap;
	(void)vdso;
}

int main(int argc, char **argv)
{
	char exe[PATH_MAX], name[32];
	struct stat a, b;
	ssize_t n;

	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	say("exe ends in %s", strrchr(exe, '/') ? strrchr(exe, '/') + 1 : "?");
	FACT(exe[0] == '/' && stat(exe, &a) == 0 && stat("/proc/self/exe", &b) == 0 && a.st_ino == b.st_ino &&
	     a.st_dev == b.st_dev);
	n = open("/proc/self/exe", O_RDONLY);
	FACT(n >= 0 && fstat((int)n, &b) == 0 && a.st_ino == b.st_ino);
	close((int)n);
	snprintf(name, sizeof(name), "/proc/%d/exe", getpid());
	FACT(stat(name, &b) == 0 && a.st_ino == b.st_ino);
	FACT(readlink(name, exe, sizeof(exe)) > 0);
	FACT(readlink("/proc/thread-self/exe", exe, sizeof(exe)) > 0);
	FACT(readlink("/proc/self/exe", exe, 5) == 5);
	SHOW(readlink("/proc/self/exe", exe, 0));
	prctl(PR_GET_NAME, name);
	say("PR_GET_NAME %s", name);
	say_file("/proc/self/comm");
	auxv();
	maps();
	if (argc > 1) {
		say_file("/proc/self/cmdline");
		say_file("/proc/self/environ");
		argv[0][0] = 'X'; /* programs write their title there */
		say_file("/proc/self/cmdline");
		return trapped_ok() ? 0 : 1;
	}
	CHILD({
		char *av[] = { (char *)"some-other-name", (char *)"a b", (char *)"", (char *)"last", NULL };
		char *ev[] = { (char *)"ONE=1", (char *)"TWO=2", NULL };

		execve("/proc/self/exe", av, ev);
	});
	return 0;
}

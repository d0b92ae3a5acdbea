/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and environment of execve: none, empty, NULL, many, long, too long. */
#include "difftest.h"

#include <sys/resource.h>

extern char **environ;

static void report(int argc, char **argv)
{
	size_t bytes = 0;
	int n = 0;

	for (int i = 0; i < argc; i++)
		bytes += strlen(argv[i]) + 1;
	for (char **e = environ; e && *e; e++)
		n++;
	say("  argc %d, first '%.20s', bytes %zu, environment %d, argv[argc] %s", argc, argc > 0 ? argv[0] : "(none)", bytes, n,
	    argv[argc] ? "not NULL" : "NULL");
}

static char **many(int count, size_t size)
{
	char **vector = calloc((size_t)count + 1, sizeof(char *)), *text = malloc(size + 1);

	memset(text, 'a', size);
	text[size] = '\0';
	for (int i = 0; i < count; i++)
		vector[i] = text;
	vector[0] = (char *)"first";
	return vector;
}

static void run(const char *what, char *const *argv, char *const *envp)
{
	EXEC_CHILD(what, syscall(SYS_execve, "/proc/self/exe", argv, envp));
}

int main(int argc, char **argv)
{
	char *one[] = { (char *)"one", NULL }, *two[] = { (char *)"two", (char *)"", NULL }, *empty[] = { NULL };
	char *blank[] = { (char *)"", NULL };
	char *odd[] = { (char *)"odd",      (char *)"--emulate=none", (char *)"--", (char *)"run",
			(char *)"a b\n\tc", (char *)"\x80\xff",       NULL };
	struct rlimit small = { 256 * 1024, RLIM_INFINITY };

	if (argc != 1 || !argv[0] || !strstr(argv[0], "engine-exec_args")) {
		report(argc, argv);
		if (argc == 6)
			say("  %s|%s|%s|%s|%s", argv[1], argv[2], argv[3], argv[4], argv[5]);
		return 0;
	}
	run("one argument", one, empty);
	run("two, one is empty", two, one);
	run("odd ones", odd, two);
	run("blank name", blank, empty);
	run("empty list", empty, empty);
	run("NULL list", NULL, empty);
	run("NULL both", NULL, NULL);
	run("NULL environment", one, NULL);
	run("5000 arguments", many(5000, 20), empty);
	run("5000 variables", one, many(5000, 20));
	run("longest string", many(2, 131071), empty);
	run("string too long", many(2, 131072), empty);
	run("variable too long", one, many(2, 131072));
	run("longest name", (char *[]){ many(2, 131071)[1], NULL }, empty);
	run("2 MiB in all", many(17, 120000), empty);
	run("too much in all", many(60, 131000), empty);
	run("far too many", many(2000000, 1), empty);
	CHILD({
		MUST(setrlimit(RLIMIT_STACK, &small));
		run("small stack, 48 KiB", many(5, 10000), empty);
		run("small stack, 100 KiB", many(11, 10000), empty);
	});
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* #! lines: arguments, blanks, chains five deep and deeper, missing and odd interpreters. */
#include "difftest.h"

static void run(const char *path)
{
	char *argv[] = { (char *)"name", (char *)"one", (char *)"two words", NULL },
	     *envp[] = { (char *)"PATH=/usr/bin:/bin", NULL };

	EXEC_CHILD(path, execve(path, argv, envp));
}

static void script(const char *path, const char *line)
{
	write_file(path, line, 0755);
	run(path);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/difftest-XXXXXX", text[1024], long_line[600];
	char here[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

	if (argc > 1 || strcmp(argv[0], "./show") == 0) {
		for (int i = 0; i < argc; i++)
			say("  argv[%d] '%s'", i, argv[i]);
		return trapped_ok() ? argc : 99;
	}
	here[n] = '\0';
	MUST(mkdtemp(folder) ? 0 : -1);
	MUST(chdir(folder));
	copy_file(here, "show", 0755);
	script("plain", "#!./show\n");
	script("argument", "#!./show -x\n");
	script("one-argument-only", "#!./show -x -y  -z\n");
	script("blanks", "#! \t ./show \t -x \t \n");
	script("no-newline", "#!./show -x");
	script("blank-end", "#!./show  \n");
	script("carriage-return", "#!./show\r\n");
	script("empty", "");
	script("only-mark", "#!");
	script("only-mark-newline", "#!\n");
	script("only-blanks", "#!   \n");
	script("blanks-no-newline", "#!   ");
	script("no-mark", "echo '  run by nobody'\n");
	script("absent-interpreter", "#!/no/such/interpreter\n");
	script("directory-interpreter", "#!/tmp\n");
	script("interpreter-below-file", "#!/etc/passwd/x\n");
	script("data-interpreter", "#!/etc/passwd\n");
	script("no-mark-interpreter", "#!./no-mark\n");
	script("shell", "#!/bin/sh\necho '  shell:' \"$0\" \"$#\" \"$2\"\n");
	script("env", "#!/usr/bin/env sh\necho '  env:' \"$0\" \"$#\"\n");
	script("env-S", "#!/usr/bin/env -S sh -e\necho '  env:' \"$0\" \"$#\"\nfalse\necho not reached\n");
	memset(long_line, 'a', sizeof(long_line));
	snprintf(text, sizeof(text), "#!./show %.*s\n", 100, long_line);
	script("100", text);
	snprintf(text, sizeof(text), "#!./show %.*s\n", 245, long_line); /* 9 + 245 + 1 = 255 */
	script("255", text);
	snprintf(text, sizeof(text), "#!./show %.*s\n", 246, long_line);
	script("256", text);
	snprintf(text, sizeof(text), "#!./show %.*s\n", 400, long_line);
	script("cut-argument", text);
	snprintf(text, sizeof(text), "#!./%.*s\n", 300, long_line);
	script("cut-name", text);

	write_file("chain1", "#!./show end\n", 0755);
	for (int i = 2; i <= 7; i++) {
		snprintf(text, sizeof(text), "chain%d", i);
		snprintf(long_line, sizeof(long_line), "#!./chain%d from%d\n", i - 1, i);
		write_file(text, long_line, 0755);
		run(text);
	}
	script("itself", "#!./itself\n");
	write_file("not-executable", "#!./show\n", 0644);
	run("not-executable");
	script("through-not-executable", "#!./not-executable\n");
	chmod("show", 0644);
	run("plain");
	MUST(chdir("/"));
	snprintf(text, sizeof(text), "rm -rf %s", folder);
	return system(text);
}

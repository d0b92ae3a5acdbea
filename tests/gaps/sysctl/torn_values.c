/* SPDX-License-Identifier: Apache-2.0 */
/* Writers of long values are killed at any instruction while others write and read: a reader sees one of the values whole, and writing goes on. */
#include "sysctl_common.h"

#define FILE_NAME "kernel/domainname"
#define WRITERS 3

static void write_for_ever(char letter)
{
	char text[64];

	memset(text, letter, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\n';
	for (;;)
		(void)writes(FILE_NAME, text, sizeof(text));
}

static pid_t start_writer(int i)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		write_for_ever((char)('a' + i));
	return pid;
}

static bool is_whole(const char *text, size_t size)
{
	if (size != 64 || text[63] != '\n')
		return false;
	for (size_t i = 1; i < 63; i++)
		if (text[i] != text[0])
			return false;
	return true;
}

int main(void)
{
	int rounds = scaled(300), torn = 0;
	pid_t writers[WRITERS];
	char text[128];

	if (geteuid() != 0)
		return 0; /* nothing can be written */
	isolate();
	memset(text, 'z', 63);
	say("at first: %d", writes(FILE_NAME, text, 63));
	for (int i = 0; i < WRITERS; i++)
		writers[i] = start_writer(i);
	for (int i = 0; i < rounds; i++) {
		size_t size = read_file(FILE_NAME, text, sizeof(text));

		if (!is_whole(text, size) && torn++ == 0)
			say("torn: %s", plain(text, size));
		if (i % 4)
			continue;
		kill(writers[i / 4 % WRITERS], SIGKILL);
		reap_quietly(writers[i / 4 % WRITERS]);
		writers[i / 4 % WRITERS] = start_writer(i / 4 % WRITERS);
	}
	for (int i = 0; i < WRITERS; i++) {
		kill(writers[i], SIGKILL);
		reap_quietly(writers[i]);
	}
	say("torn values: %d", torn);
	say("the last word: %d", writes(FILE_NAME, "end\n", 4));
	say("reads %s", reads(FILE_NAME));
	return 0;
}

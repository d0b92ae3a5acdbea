/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log and the served devices with readers and writers that are killed at random: torture KILLS PROCESSES SEED. Under lichen only (the kernel
 * limits the rate of writes). Prints 'torture: … 0 wrong' at the end, if:
 *   - a reader that lives on got every record, in order, with none missing;
 *   - what a writer was told is written is there, whole;
 *   - the supervisor still serves: new readers, new devices, as many as are killed.
 */
#include "kmsg.h"

static unsigned long *acknowledged; /* by slot: lines that a writer was told are written */
static int wrong;

static void check(bool right, const char *what)
{
	if (!right && ++wrong < 20)
		say("wrong: %s", what);
}

/* One of many: writes, reads and opens devices until it is killed. */
static void work(int slot, unsigned seed)
{
	for (unsigned long i = 0;; i++) {
		char line[200], bytes[300];
		int n = snprintf(line, sizeof(line), "<6>%s slot %d line %lu end\n", kmsg_mark, slot, acknowledged[slot]), fd;

		switch (rand_r(&seed) % 6) {
		case 0:
		case 1:
			fd = open("/dev/kmsg", O_WRONLY);
			if (fd >= 0 && write(fd, line, (size_t)n) == n)
				acknowledged[slot]++;
			break;
		case 2:
			fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
			while (fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0 && rand_r(&seed) % 8)
				;
			break;
		case 3:
			fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
			if (fd >= 0)
				(void)lseek(fd, 0, rand_r(&seed) % 2 ? SEEK_END : SEEK_DATA);
			break;
		case 4:
			fd = open("/dev/zero", O_RDONLY);
			if (fd >= 0 && (read(fd, bytes, sizeof(bytes)) <= 0 || bytes[0]))
				_exit(1);
			break;
		default:
			fd = open("/dev/null", O_RDWR);
			if (fd >= 0 && write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
				_exit(1);
		}
		if (fd >= 0)
			close(fd);
	}
}

static pid_t start(int slot, unsigned seed)
{
	pid_t pid = fork();

	if (pid == 0)
		work(slot, seed);
	return pid;
}

/* Takes what has come: counts lines by slot, looks for gaps. False: nothing more. */
static bool take(int reader, unsigned long *next, unsigned long *seen)
{
	char record[2048], *text;
	unsigned long number, line;
	int slot;
	ssize_t n = read(reader, record, sizeof(record) - 1);

	if (n <= 0)
		return false;
	record[n] = 0;
	number = strtoul(strchr(record, ',') + 1, NULL, 10);
	check(!*next || number == *next, "a record is missing");
	*next = number + 1;
	text = strstr(record, kmsg_mark);
	if (text && sscanf(text + strlen(kmsg_mark), " slot %d line %lu", &slot, &line) == 2) {
		check(strstr(text, " end\n") != NULL, "a record is cut");
		check(line <= seen[slot] && line + 1 >= seen[slot],
		      "a line is missing"); /* one that was not acknowledged may come twice */
		seen[slot] = line + 1;
	}
	return true;
}

int main(int argc, char **argv)
{
	int kills = argc > 1 ? atoi(argv[1]) : 200, count = argc > 2 ? atoi(argv[2]) : 6, reader;
	unsigned seed = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	unsigned long next = 0, seen[64] = { 0 };
	pid_t pids[64];

	acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	reader = kmsg_reader(O_RDONLY | O_NONBLOCK);
	for (int i = 0; i < count; i++)
		pids[i] = start(i, seed + (unsigned)i);
	for (int i = 0; i < kills; i++) {
		int slot = rand_r(&seed) % count, status;

		usleep((useconds_t)(rand_r(&seed) % 3000));
		kill(pids[slot], SIGKILL);
		MUST(waitpid(pids[slot], &status, 0));
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a device is wrong");
		while (take(reader, &next, seen))
			;
		pids[slot] = start(slot, seed + (unsigned)i);
	}
	for (int i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		MUST(waitpid(pids[i], NULL, 0));
	}
	close((int)MUST(open("/dev/kmsg", O_RDONLY))); /* all that was sent has been taken */
	while (take(reader, &next, seen))
		;
	for (int i = 0; i < count; i++)
		check(seen[i] >= acknowledged[i], "an acknowledged line is missing");
	say("torture: %d kills, records %s, %d wrong", kills, next ? "came" : "did not come", wrong);
	return wrong || !next;
}

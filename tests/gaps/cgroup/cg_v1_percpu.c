// SPDX-License-Identifier: Apache-2.0
/* cpuacct.usage_percpu and its kin: who ran where. */
#include "cgroup_test.h"

#include <time.h>

#define BURN_MS 600
#define LINES 256

static int first_cpu = -1, last_cpu = -1;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
}

static void burn(clockid_t clock)
{
	struct timespec now;

	do
		clock_gettime(clock, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < BURN_MS);
}

static void *burn_first(void *arg)
{
	pin(first_cpu);
	burn(CLOCK_THREAD_CPUTIME_ID);
	return arg;
}

/* Numbers of a file, one word each: how many. */
static size_t numbers(const char *path, unsigned long long to[LINES])
{
	char text[8192], *rest = text, *word;
	size_t count = 0;

	if (get(path, text, sizeof(text)) < 0)
		return 0;
	while ((word = strsep(&rest, " \n")) && count < LINES)
		if (*word)
			to[count++] = strtoull(word, NULL, 10);
	return count;
}

/* The part of the whole that a processor is told of, in percent; -1: the file does not have as many as there are. */
static int part_of(const char *path, int cpu)
{
	unsigned long long told[LINES], sum = 0;
	size_t count = numbers(path, told);

	for (size_t i = 0; i < count; i++)
		sum += told[i];
	if (count != (size_t)sysconf(_SC_NPROCESSORS_CONF))
		return -1;
	return sum ? (int)(told[cpu] * 100 / sum) : 0;
}

static unsigned long long whole_of(const char *path)
{
	unsigned long long told[LINES], sum = 0;
	size_t count = numbers(path, told);

	for (size_t i = 0; i < count; i++)
		sum += told[i];
	return sum;
}

static void mounting(void)
{
	cpu_set_t set;

	umask(022);
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("test", "/mnt", "tmpfs", 0, "mode=755"));
	MUST(mkdir(PLACE, 0755));
	MUST(mount("groups", PLACE, "cgroup", 0, "cpuacct"));
	snprintf(group_top, sizeof(group_top), PLACE "/lichen-test-%d", (int)getpid());
	MUST(mkdir(group_top, 0755));
	MUST(chdir(group_top));
	MUST(mkdir("below", 0755));
	MUST(sched_getaffinity(0, sizeof(set), &set));
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, &set)) {
			first_cpu = first_cpu < 0 ? i : first_cpu;
			last_cpu = i;
		}
}

static void one_process(void)
{
	pid_t child = fork();

	if (child == 0) {
		put("below/cgroup.procs", "0");
		pin(last_cpu);
		burn(CLOCK_PROCESS_CPUTIME_ID);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	FACT(part_of("below/cpuacct.usage_percpu", last_cpu) >= 75);
	FACT(part_of("cpuacct.usage_percpu", last_cpu) >= 75); /* its parent, too */
	FACT(part_of("cpuacct.usage_percpu_user", last_cpu) >= 75);
	FACT(whole_of("cpuacct.usage_percpu") >= 500000000);
	FACT(whole_of("cpuacct.usage_percpu") == whole_of("cpuacct.usage"));
	FACT(whole_of("cpuacct.usage_percpu_user") == whole_of("cpuacct.usage_user"));
	FACT(whole_of("cpuacct.usage_percpu_sys") == whole_of("cpuacct.usage_sys"));
	say("reset: %s", errno_name(put("cpuacct.usage", "0")));
	say("reset: %s", errno_name(put("below/cpuacct.usage", "0")));
}

static void two_threads(void)
{
	pid_t child = fork();

	if (child == 0) {
		pthread_t thread;

		put("cgroup.procs", "0");
		if (pthread_create(&thread, NULL, burn_first, NULL))
			_exit(1);
		pin(last_cpu);
		burn(CLOCK_THREAD_CPUTIME_ID);
		pthread_join(thread, NULL);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	int part = part_of("cpuacct.usage_percpu", last_cpu);
	FACT(first_cpu == last_cpu || (part >= 30 && part <= 70));
	FACT(whole_of("below/cpuacct.usage_percpu") == 0);
}

int main(void)
{
	mounting();
	one_process();
	two_threads();
	OK(rmdir("below"));
	MUST(chdir("/"));
	OK(rmdir(group_top));
	return 0;
}

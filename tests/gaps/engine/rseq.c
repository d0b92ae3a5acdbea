/* SPDX-License-Identifier: Apache-2.0 */
/* Restartable sequences: glibc's registration works on after trapped calls, fork and exec. */
#include "difftest.h"

#include <sched.h>
#include <sys/rseq.h>

static void check(const char *what)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	cpu_set_t one;
	int cpu, same = 0;

	if (__rseq_size == 0) {
		say("%s: no rseq here", what);
		return;
	}
	for (int i = 0; i < 2000; i++)
		trapped_ok();
	cpu = sched_getcpu();
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < 50; i++)
		same += (int)area->cpu_id == sched_getcpu() && trapped_ok();
	say("%s: cpu_id right %d times of 50, critical section pointer %s", what, same, area->rseq_cs ? "set" : "NULL");
}

static void *thread(void *arg)
{
	check(arg);
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argv;
	check(argc > 1 ? "executed" : "main");
	pthread_join(thread_start(thread, (void *)"thread"), NULL);
	CHILD(check("child"));
	SHOW(syscall(SYS_rseq, bad_pointer(), 32, 0, 0x53053053));
	if (argc == 1)
		CHILD(execl("/proc/self/exe", "again", "x", NULL));
	return 0;
}

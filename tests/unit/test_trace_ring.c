/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace ring, both ends: src/agent/trace_ring.c in forked producers, src/host/trace_drain.c here. Nothing may be lost, doubled, mixed up or
 * out of a producer's order, whoever is killed; what a killed producer had not handed over is counted at most once.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#undef FP_XSTATE_MAGIC1 /* libc and the agent name the same number */
#include "agent/engine.h"
#include "host/trace_drain.h"
#include "host/trace_file.h"

#define PRODUCERS 6

struct shared {
	struct commons commons;
	u64 pushed[PRODUCERS]; /* records handed over, by producer */
	_Alignas(4096) struct trace_ring ring;
};

static struct shared *shared;

void agent_wake(u32 *word, int count)
{
	(void)syscall(SYS_futex, word, 1 /* FUTEX_WAKE */, count);
}

static int set_up(void **state)
{
	(void)state;
	shared = mmap((void *)LAYOUT_COMMONS, sizeof(*shared), PROT_READ | PROT_WRITE, /* NOLINT(performance-no-int-to-ptr) */
		      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	shared->commons.trace_offset = offsetof(struct shared, ring);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(shared, sizeof(*shared));
}

/* Record number n of producer p: its payload's length and bytes follow from n. */
static void fill(struct trace_record *record, u64 p, u64 n)
{
	struct trace_string head = { .arg = 1, .length = (u16)(n * 7 % (TRACE_PAYLOAD - 8)) };

	*record = (struct trace_record){ .kind = TRACE_CALL, .pid = getpid(), .args = { p, n } };
	memcpy(record->payload, &head, sizeof(head));
	memset(record->payload + sizeof(head), (int)('a' + n % 26), head.length);
	record->size = (u16)ALIGN_UP(sizeof(head) + head.length, 2);
}

static NORETURN void produce(u64 p, u64 count)
{
	struct trace_record record;

	for (u64 n = 0; n < count; n++) {
		fill(&record, p, n);
		trace_push(&record);
		shared->pushed[p] = n + 1;
	}
	_exit(0);
}

/* What the file tells of each producer: next[p] records, in order and whole. Returns what TRACE_END says was lost. */
static u64 read_back(int fd, u64 next[PRODUCERS])
{
	struct trace_reader reader;
	struct trace_record record, expected;
	u64 lost = ~UINT64_C(0);
	int r;

	assert_int_equal(trace_open(&reader, fd), 0);
	while ((r = trace_next(&reader, &record)) > 0) {
		u64 p = record.args[0], n = record.args[1];

		if (record.kind == TRACE_END)
			lost = record.args[1];
		if (record.kind != TRACE_CALL)
			continue;
		assert_true(p < PRODUCERS && n == next[p]);
		next[p]++;
		fill(&expected, p, n);
		assert_int_equal(record.size, expected.size);
		assert_memory_equal(record.payload, expected.payload, record.size);
	}
	assert_int_equal(r, 0);
	trace_close(&reader);
	return lost;
}

/* Lets producers make `count` records each while the drain runs; kills the first `killed` of them on the way. */
static void race(u64 count, int killed)
{
	char *argv[] = { (char *)"race", NULL };
	struct launch_trace trace = { .fd = (int)syscall(SYS_memfd_create, "trace", MFD_CLOEXEC) };
	struct trace_drain *drain = malloc(sizeof(*drain));
	u64 next[PRODUCERS] = { 0 }, lost, all = 0;
	pid_t pids[PRODUCERS];

	assert_true(trace.fd >= 0 && drain);
	trace_drain_init(drain, &shared->ring, &trace);
	for (u64 p = 0; p < PRODUCERS; p++) {
		pids[p] = fork();
		if (pids[p] == 0)
			produce(p, count);
		assert_true(pids[p] > 0);
	}
	assert_int_equal(trace_drain_start(drain, argv, getpid()), 0);
	for (int p = 0; p < killed; p++) {
		usleep((useconds_t)(rand() % 3000)); /* NOLINT(cert-msc30-c,cert-msc50-cpp): any moment will do */
		assert_int_equal(kill(pids[p], SIGKILL), 0);
	}
	for (int p = 0; p < PRODUCERS; p++)
		assert_int_equal(waitpid(pids[p], NULL, 0), pids[p]);
	trace_drain_finish(drain, 0);
	assert_int_equal(trace.error, 0);
	lost = read_back(trace.fd, next);
	assert_int_equal(lost, trace.lost);
	assert_true(lost <= (u64)killed);
	for (int p = 0; p < PRODUCERS; p++) {
		assert_true(next[p] == shared->pushed[p] || (p < killed && next[p] == shared->pushed[p] + 1));
		assert_true(p < killed || next[p] == count);
		all += next[p];
	}
	assert_int_equal(trace.records, all + 2);
	close(trace.fd);
	free(drain);
}

static void test_nothing_is_lost_when_producers_are_faster(void **state)
{
	(void)state;
	race(20000, 0);
}

static void test_a_killed_producer_blocks_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {
		memset(&shared->ring, 0, sizeof(shared->ring));
		memset(shared->pushed, 0, sizeof(shared->pushed));
		race(3000, PRODUCERS - 2);
	}
}

/* As the killed leave them: slots that are claimed for ever, `head` behind them or before them. */
static void test_claims_of_the_dead_are_skipped_and_counted(void **state)
{
	pid_t dead = fork();

	(void)state;
	if (dead == 0)
		_exit(0);
	assert_int_equal(waitpid(dead, NULL, 0), dead);
	shared->ring.slots[0].turn = (u64)dead;
	shared->ring.slots[1].turn = (u64)dead;
	shared->ring.head = 1;
	pid_t pid = fork();
	if (pid == 0)
		produce(0, 5);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(shared->ring.head, 7);

	char *argv[] = { (char *)"skip", NULL };
	struct launch_trace trace = { .fd = (int)syscall(SYS_memfd_create, "trace", MFD_CLOEXEC) };
	struct trace_drain *drain = malloc(sizeof(*drain));
	u64 next[PRODUCERS] = { 0 };
	trace_drain_init(drain, &shared->ring, &trace);
	assert_int_equal(trace_drain_start(drain, argv, getpid()), 0);
	trace_drain_finish(drain, 3);
	assert_int_equal(read_back(trace.fd, next), 2);
	assert_int_equal(next[0], 5);
	close(trace.fd);
	free(drain);
}

/* No consumer: who finds the ring full waits once, then what is lost is counted, and nobody waits again. */
static void test_a_ring_that_nobody_empties_does_not_hold_the_guest_up_for_ever(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		produce(0, TRACE_SLOTS + 1000);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(shared->ring.lost, 1000);
	assert_int_equal(shared->ring.head, TRACE_SLOTS);
}

static void test_after_the_end_nothing_is_recorded(void **state)
{
	pid_t pid;

	(void)state;
	shared->ring.closed = 1;
	pid = fork();
	if (pid == 0)
		produce(0, 3 * TRACE_SLOTS);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(shared->ring.head, 0);
}

/* What a guest scribbles into the ring is dropped and counted. */
static void test_malformed_records_count_as_lost(void **state)
{
	char *argv[] = { (char *)"scribble", NULL };
	struct launch_trace trace = { .fd = (int)syscall(SYS_memfd_create, "trace", MFD_CLOEXEC) };
	struct trace_drain *drain = malloc(sizeof(*drain));
	u64 next[PRODUCERS] = { 0 };

	(void)state;
	for (u64 i = 0; i < 4; i++)
		shared->ring.slots[i].turn = TRACE_TURN_FILLED | 1;
	fill(&shared->ring.slots[0].record, 0, 0);
	shared->ring.slots[1].record.kind = 77;
	fill(&shared->ring.slots[2].record, 0, 1);
	shared->ring.slots[2].record.size = 60000;
	fill(&shared->ring.slots[3].record, 0, 1);
	shared->ring.slots[3].record.payload[2] = 255; /* longer than the payload */
	shared->ring.slots[3].record.payload[3] = 255;
	trace_drain_init(drain, &shared->ring, &trace);
	assert_int_equal(trace_drain_start(drain, argv, getpid()), 0);
	trace_drain_finish(drain, 0);
	assert_int_equal(read_back(trace.fd, next), 3);
	assert_int_equal(next[0], 1);
	close(trace.fd);
	free(drain);
}

static void test_a_full_disk_is_told(void **state)
{
	char *argv[] = { (char *)"full", NULL };
	struct launch_trace trace = { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };
	struct trace_drain *drain = malloc(sizeof(*drain));

	(void)state;
	trace_drain_init(drain, &shared->ring, &trace);
	assert_int_equal(trace_drain_start(drain, argv, getpid()), 0);
	trace_drain_finish(drain, 0);
	assert_int_equal(trace.error, ENOSPC);
	close(trace.fd);
	free(drain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_is_lost_when_producers_are_faster, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_killed_producer_blocks_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_claims_of_the_dead_are_skipped_and_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_ring_that_nobody_empties_does_not_hold_the_guest_up_for_ever, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_after_the_end_nothing_is_recorded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_malformed_records_count_as_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_full_disk_is_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

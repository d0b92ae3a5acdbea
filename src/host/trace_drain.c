/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empties the trace ring, into a file and to who wants to know at once: in ticks of 5 to 50 ms, and when a producer says that a quarter of it is full. Guests can write whatever they like
 * into the ring, so each record is copied first and checked then; one that is not well-formed counts as lost.
 *
 * A slot that is claimed but not filled belongs to a producer in the middle of one memcpy, or to one that was killed there. Its pid tells
 * which; where pids cannot be compared (a guest's own pid namespace), or it is stopped, CLAIM_PATIENCE does. That is less than the
 * 2 s for which producers wait for us. One that was skipped but lives notices and hands its record over again.
 */
#include "host/trace_drain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "host/trace_file.h"

#define MS UINT64_C(1000000)
#define TICK_SHORT (5 * MS)
#define TICK_LONG (50 * MS)
#define CLAIM_LOOK (5 * MS)
#define CLAIM_PATIENCE (1000 * MS)

static u64 clock_now(clockid_t clock)
{
	struct timespec t = { 0 };

	(void)clock_gettime(clock, &t);
	return (u64)t.tv_sec * 1000 * MS + (u64)t.tv_nsec;
}

/* --- the file --------------------------------------------------------------------------------------------------------------------- */

/* After the first error nothing more is written: the file ends at a whole record, or breaks off where the disk was full. */
static void flush(struct trace_drain *drain)
{
	if (drain->trace->fd >= 0 && !drain->trace->error)
		drain->trace->error = -write_bytes(drain->trace->fd, drain->buffer, drain->used);
	drain->used = 0;
}

static void put(struct trace_drain *drain, const void *bytes, size_t size)
{
	if (sizeof(drain->buffer) - drain->used < size)
		flush(drain);
	memcpy(drain->buffer + drain->used, bytes, size);
	drain->used += size;
}

static void put_record(struct trace_drain *drain, struct trace_record *record)
{
	size_t size = ALIGN_UP((size_t)record->size, 8);

	memset(record->payload + record->size, 0, size - record->size);
	put(drain, record, TRACE_HEAD + size);
	drain->trace->records++;
}

/* --- the ring --------------------------------------------------------------------------------------------------------------------- */

/* Whether the process is over: gone, or a zombie. */
static bool process_dead(s32 pid)
{
	char path[32], text[512], *state;
	CLEANUP_FD int fd = FD_NONE;
	ssize_t n;

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	state = strrchr(text, ')');
	return state && (state[1] == ' ') && (state[2] == 'Z' || state[2] == 'X');
}

/* The slot at `tail` is claimed but not filled: whether its owner has been given up. */
static bool give_up(struct trace_drain *drain, u64 turn)
{
	u64 now = clock_now(CLOCK_MONOTONIC);

	if (!drain->waited_since)
		drain->waited_since = now;
	if (now - drain->waited_since < CLAIM_LOOK)
		return false;
	return now - drain->waited_since > CLAIM_PATIENCE || (!drain->other_pids && process_dead(TRACE_TURN_PID(turn)));
}

static void take_record(struct trace_drain *drain, const struct trace_slot *slot)
{
	struct trace_record record;

	memcpy(&record, &slot->record, sizeof(record));
	if (!trace_record_valid(&record)) {
		drain->malformed++;
		return;
	}
	put_record(drain, &record);
	if (drain->trace->take)
		drain->trace->take(drain->trace->data, &record);
}

/* Takes the record at `tail`, or skips its slot. False when there is nothing to take yet. */
static bool take(struct trace_drain *drain)
{
	struct trace_ring *ring = drain->ring;
	u64 at = ring->tail, turn, next = (u64)((u32)(at / TRACE_SLOTS) + 1) << 32;
	struct trace_slot *slot = &ring->slots[at % TRACE_SLOTS];

	turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);
	if (TRACE_TURN_LAP(turn) != (u32)(at / TRACE_SLOTS) || !(u32)turn)
		return false;
	if (turn & TRACE_TURN_FILLED) {
		take_record(drain, slot);
		__atomic_store_n(&slot->turn, next, __ATOMIC_RELEASE);
	} else {
		if (!give_up(drain, turn) ||
		    !__atomic_compare_exchange_n(&slot->turn, &turn, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return false;
		(void)__atomic_add_fetch(&ring->lost, 1, __ATOMIC_RELAXED);
	}
	drain->waited_since = 0;
	__atomic_store_n(&ring->tail, at + 1, __ATOMIC_RELEASE);
	return true;
}

/* Whether a claimed slot is still waited for. */
static bool is_waiting(const struct trace_drain *drain)
{
	return drain->waited_since != 0;
}

static void sleep_tick(struct trace_drain *drain, u64 tick)
{
	struct timespec timeout = { 0, (long)tick };

	__atomic_store_n(&drain->ring->waiting, 1, __ATOMIC_RELEASE);
	if (!__atomic_load_n(&drain->stop, __ATOMIC_ACQUIRE))
		(void)syscall(SYS_futex, &drain->ring->waiting, FUTEX_WAIT, 1, &timeout);
	__atomic_store_n(&drain->ring->waiting, 0, __ATOMIC_RELAXED);
}

static void *run(void *arg)
{
	struct trace_drain *drain = arg;
	u64 tick = TICK_SHORT;

	for (;;) {
		bool stop = __atomic_load_n(&drain->stop, __ATOMIC_ACQUIRE), any = false;

		while (take(drain))
			any = true;
		if (stop && !is_waiting(drain))
			return NULL;
		flush(drain);
		tick = any || is_waiting(drain) ? TICK_SHORT : tick * 2 < TICK_LONG ? tick * 2 : TICK_LONG;
		if (stop)
			(void)nanosleep(&(struct timespec){ 0, (long)MS }, NULL);
		else
			sleep_tick(drain, tick);
	}
}

/* --- the run ------------------------------------------------------------------------------------------------------------------------ */

static void add_string(struct trace_record *record, const char *string)
{
	size_t left = TRACE_PAYLOAD - record->size, length = strlen(string);
	struct trace_string head = { .arg = 1 };

	if (left < sizeof(head) + 2)
		return;
	left = ALIGN_DOWN(left - sizeof(head), (size_t)2);
	if (length > left) {
		length = left;
		head.flags = TRACE_STRING_CUT;
	}
	head.length = (u16)length;
	memcpy(record->payload + record->size, &head, sizeof(head));
	memcpy(record->payload + record->size + sizeof(head), string, length);
	record->size = (u16)(record->size + sizeof(head) + ALIGN_UP(length, (size_t)2));
}

void trace_drain_init(struct trace_drain *drain, struct trace_ring *ring, struct launch_trace *trace)
{
	struct trace_file_header header = { .version = TRACE_VERSION, .record_size = sizeof(struct trace_record) };

	memcpy(header.magic, TRACE_MAGIC, sizeof(header.magic));
	header.realtime = clock_now(CLOCK_REALTIME);
	header.monotonic = clock_now(CLOCK_MONOTONIC);
	*drain = (struct trace_drain){ .ring = ring, .trace = trace, .begun = header.monotonic };
	trace->error = 0;
	trace->records = trace->lost = 0;
	put(drain, &header, sizeof(header));
}

int trace_drain_start(struct trace_drain *drain, char *const *argv, pid_t pid)
{
	struct trace_record record = { .kind = TRACE_START, .pid = pid, .tid = pid, .time = drain->begun };

	for (; *argv; argv++)
		add_string(&record, *argv);
	put_record(drain, &record);
	return -pthread_create(&drain->thread, NULL, run, drain);
}

void trace_drain_finish(struct trace_drain *drain, int status)
{
	struct trace_record record = { .kind = TRACE_END, .time = clock_now(CLOCK_MONOTONIC) };

	__atomic_store_n(&drain->stop, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&drain->ring->waiting, 0, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, &drain->ring->waiting, FUTEX_WAKE, 1);
	(void)pthread_join(drain->thread, NULL);
	__atomic_store_n(&drain->ring->closed, 1, __ATOMIC_RELEASE);
	drain->trace->lost = __atomic_load_n(&drain->ring->lost, __ATOMIC_RELAXED) + drain->malformed;
	record.args[0] = (u64)(u32)status;
	record.args[1] = drain->trace->lost;
	put_record(drain, &record);
	flush(drain);
}

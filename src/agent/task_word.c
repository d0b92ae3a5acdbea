/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One word per task, for a gap to remember something by (agent_task_word()): inherited by new threads, over fork, vfork and execve, as the kernel
 * has it for credentials.
 *
 * Most processes need one word for all their threads. A thread that sets another one while there are more gets a row of its own, found by its
 * tid; so does a vfork child, which shares our memory. A thread that has a row bears threads with rows: the kernel tells their tids only after
 * they have begun to run, so whoever asks for a word meanwhile (births) waits until the row is written.
 *
 * Rows of threads that have ended are freed when all are taken. Limit: TASK_ROWS threads of one process with words of their own; the word of a
 * further one counts for all that have no row.
 */
#include "agent/engine.h"

#define ROW(tid, word) ((u64)(u32)(tid) << 32 | (word))

static u64 *find_row(s32 tid)
{
	struct task_words *t = &private()->task;

	for (u32 i = 0; i < TASK_ROWS; i++)
		if ((s32)(__atomic_load_n(&t->row[i], __ATOMIC_ACQUIRE) >> 32) == tid)
			return &t->row[i];
	return NULL;
}

static u32 word_of(s32 tid)
{
	struct task_words *t = &private()->task;

	for (;;) {
		u32 births = __atomic_load_n(&t->births, __ATOMIC_ACQUIRE);
		const u64 *row = find_row(tid);

		if (!births)
			return row ? (u32)*row : __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
		(void)sys0(__NR_sched_yield);
	}
}

u32 agent_task_word(void)
{
	struct task_words *t = &private()->task;

	if (!__atomic_load_n(&t->rows, __ATOMIC_ACQUIRE))
		return __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
	return word_of((s32)sys0(__NR_gettid));
}

static bool take_row(u64 value)
{
	struct task_words *t = &private()->task;

	for (u32 i = 0; i < TASK_ROWS; i++) {
		u64 none = 0;

		if (__atomic_compare_exchange_n(&t->row[i], &none, value, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void free_rows_of_dead(void)
{
	struct task_words *t = &private()->task;

	for (u32 i = 0; i < TASK_ROWS; i++) {
		u64 row = __atomic_load_n(&t->row[i], __ATOMIC_ACQUIRE);

		if (row && sys2(__NR_tkill, (s32)(row >> 32), 0) == -ESRCH)
			(void)__atomic_compare_exchange_n(&t->row[i], &row, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* Gives a task a row, or the process the word where no row is free. */
static void write_row(s32 tid, u32 word)
{
	struct task_words *t = &private()->task;
	u64 *row = find_row(tid);

	__atomic_store_n(&t->rows, 1, __ATOMIC_RELEASE);
	if (row) {
		__atomic_store_n(row, ROW(tid, word), __ATOMIC_RELEASE);
		return;
	}
	if (take_row(ROW(tid, word)))
		return;
	free_rows_of_dead();
	if (!take_row(ROW(tid, word)))
		__atomic_store_n(&t->process, word, __ATOMIC_RELEASE);
}

void agent_task_word_set(u32 word)
{
	struct task_words *t = &private()->task;
	s32 tid = (s32)sys0(__NR_gettid);

	if (tid == private()->pid && !__atomic_load_n(&t->threads, __ATOMIC_ACQUIRE))
		__atomic_store_n(&t->process, word, __ATOMIC_RELEASE);
	else
		write_row(tid, word);
}

void task_start(u32 word)
{
	private()->task.process = word;
}

void task_before_fork(void)
{
	private()->task.forked = agent_task_word();
}

void task_forked_child(void)
{
	struct task_words *t = &private()->task;

	t->process = t->forked;
	if (t->rows)
		memset(t->row, 0, sizeof(t->row));
	t->rows = t->births = t->threads = 0;
}

bool task_birth_begin(u32 *ret_word)
{
	struct task_words *t = &private()->task;

	__atomic_store_n(&t->threads, 1, __ATOMIC_RELEASE);
	if (!__atomic_load_n(&t->rows, __ATOMIC_ACQUIRE))
		return false;
	*ret_word = agent_task_word();
	__atomic_add_fetch(&t->births, 1, __ATOMIC_ACQ_REL);
	return true;
}

void task_birth_end(s32 tid, u32 word)
{
	if (tid > 0)
		write_row(tid, word); /* also over what a former thread of that number has left */
	__atomic_sub_fetch(&private()->task.births, 1, __ATOMIC_ACQ_REL);
}

bool task_rows(void)
{
	return __atomic_load_n(&private()->task.rows, __ATOMIC_ACQUIRE);
}

void task_vfork_child(u32 word)
{
	write_row((s32)sys0(__NR_gettid), word);
}

void task_gone(s32 tid)
{
	u64 *row = task_rows() ? find_row(tid) : NULL;

	if (row)
		__atomic_store_n(row, 0, __ATOMIC_RELEASE);
}

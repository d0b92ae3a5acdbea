/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that each task has (enum task_word): inherited by new threads, over fork, vfork and execve, as the kernel has it for credentials and for
 * namespaces and the root directory.
 *
 * Most processes need one word for all their threads. A thread that sets another one of its own while there are more gets a row, found by its
 * tid; so does a vfork child, which shares our memory. A thread that has a row bears threads with rows: the kernel tells their tids only after
 * they have begun to run, so whoever asks for a word meanwhile (births) waits until the row is written.
 *
 * What differs: an identity is each thread's own, so setting it never touches another thread; a view is shared by all threads until one of them
 * parts with it (unshare(CLONE_FS)), so setting it sets the process's word, except where the thread has a row; seccomp's filters are each thread's own,
 * but one may give its own to all (SECCOMP_FILTER_FLAG_TSYNC).
 *
 * Rows of threads that have ended are freed when all are taken. Limits: TASK_ROWS threads of one process with words of their own; the word of a
 * further one counts for all that have no row. Threads made by one that has parted with its process share its view's value, not its changes.
 */
#include "agent/engine.h"

#define CLONE_FS_ UINT64_C(0x200)
#define ROW(tid, word) ((u64)(u32)(tid) << 32 | (word))

static struct task_words *words(enum task_word kind)
{
	return &private()->task[kind];
}

static u64 *find_row(enum task_word kind, s32 tid)
{
	struct task_words *t = words(kind);

	for (u32 i = 0; i < TASK_ROWS; i++)
		if ((s32)(__atomic_load_n(&t->row[i], __ATOMIC_ACQUIRE) >> 32) == tid)
			return &t->row[i];
	return NULL;
}

static u32 word_of(enum task_word kind, s32 tid)
{
	struct task_words *t = words(kind);

	for (;;) {
		u32 births = __atomic_load_n(&private()->births, __ATOMIC_ACQUIRE);
		const u64 *row = find_row(kind, tid);

		if (!births)
			return row ? (u32)*row : __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
		(void)sys0(__NR_sched_yield);
	}
}

u32 task_word(enum task_word kind)
{
	struct task_words *t = words(kind);

	if (LIKELY(!__atomic_load_n(&t->rows, __ATOMIC_ACQUIRE)))
		return __atomic_load_n(&t->process, __ATOMIC_ACQUIRE);
	return word_of(kind, (s32)sys0(__NR_gettid));
}

u32 agent_task_word(void)
{
	return task_word(TASK_IDENTITY);
}

u32 agent_keyring_word(void)
{
	return task_word(TASK_KEYRING);
}

void agent_keyring_word_set(u32 word)
{
	task_word_set_own(TASK_KEYRING, word);
}

static bool take_row(enum task_word kind, u64 value)
{
	struct task_words *t = words(kind);

	for (u32 i = 0; i < TASK_ROWS; i++) {
		u64 none = 0;

		if (__atomic_compare_exchange_n(&t->row[i], &none, value, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void free_rows_of_dead(enum task_word kind)
{
	struct task_words *t = words(kind);

	for (u32 i = 0; i < TASK_ROWS; i++) {
		u64 row = __atomic_load_n(&t->row[i], __ATOMIC_ACQUIRE);

		if (row && sys2(__NR_tkill, (s32)(row >> 32), 0) == -ESRCH)
			(void)__atomic_compare_exchange_n(&t->row[i], &row, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/* Gives a task a row, or the process the word where no row is free. */
static void write_row(enum task_word kind, s32 tid, u32 word)
{
	struct task_words *t = words(kind);
	u64 *row = find_row(kind, tid);

	__atomic_store_n(&t->rows, 1, __ATOMIC_RELEASE);
	if (row) {
		__atomic_store_n(row, ROW(tid, word), __ATOMIC_RELEASE);
		return;
	}
	if (take_row(kind, ROW(tid, word)))
		return;
	free_rows_of_dead(kind);
	if (!take_row(kind, ROW(tid, word)))
		__atomic_store_n(&t->process, word, __ATOMIC_RELEASE);
}

void task_word_set_own(enum task_word kind, u32 word)
{
	s32 tid = (s32)sys0(__NR_gettid);

	if (tid == private()->pid && !__atomic_load_n(&private()->threads, __ATOMIC_ACQUIRE))
		__atomic_store_n(&words(kind)->process, word, __ATOMIC_RELEASE);
	else
		write_row(kind, tid, word);
}

void task_word_set_shared(enum task_word kind, u32 word)
{
	s32 tid = (s32)sys0(__NR_gettid);

	if ((s32)sys0(__NR_getpid) != private()->pid || (task_rows(kind) && find_row(kind, tid)))
		write_row(kind, tid, word);
	else
		__atomic_store_n(&words(kind)->process, word, __ATOMIC_RELEASE);
}

/* Every thread of the process gets the caller's filters; no_new_privs goes along, not away. */
void task_seccomp_sync(u32 word)
{
	struct task_words *t = words(TASK_SECCOMP);
	s32 pid = (s32)sys0(__NR_getpid);

	if (pid != private()->pid) { /* a vfork child is alone */
		write_row(TASK_SECCOMP, pid, word);
		return;
	}
	__atomic_store_n(&t->process, word | (t->process & SECCOMP_NO_PRIVS), __ATOMIC_RELEASE);
	for (u32 i = 0; i < TASK_ROWS && t->rows; i++) {
		u64 row = __atomic_load_n(&t->row[i], __ATOMIC_ACQUIRE);

		if (row && sys3(__NR_tgkill, pid, (s32)(row >> 32), 0) == 0)
			__atomic_store_n(&t->row[i], row >> 32 << 32 | word | ((u32)row & SECCOMP_NO_PRIVS), __ATOMIC_RELEASE);
	}
}

bool task_has_word(enum task_word kind, u32 word)
{
	const struct task_words *t = words(kind);

	for (u32 i = 0; i < TASK_ROWS && t->rows; i++)
		if (t->row[i] && (u32)t->row[i] == word)
			return true;
	return t->process == word;
}

void task_each_word(enum task_word kind, void (*show)(u32 word, u64 *arg), u64 *arg)
{
	const struct task_words *t = words(kind);

	while (__atomic_load_n(&private()->births, __ATOMIC_ACQUIRE)) /* who has a word and no row yet */
		(void)sys0(__NR_sched_yield);
	free_rows_of_dead(kind);
	show(__atomic_load_n(&t->process, __ATOMIC_ACQUIRE), arg);
	for (u32 i = 0; i < TASK_ROWS; i++)
		show((u32)__atomic_load_n(&t->row[i], __ATOMIC_ACQUIRE), arg);
}

void agent_task_word_set(u32 word)
{
	task_word_set_own(TASK_IDENTITY, word);
}

void task_start(enum task_word kind, u32 word)
{
	words(kind)->process = word;
}

void task_before_fork(void)
{
	for (u32 kind = 0; kind < TASK_WORDS; kind++)
		words(kind)->forked = task_word(kind);
}

void task_forked_child(void)
{
	for (u32 kind = 0; kind < TASK_WORDS; kind++) {
		struct task_words *t = words(kind);

		t->process = t->forked;
		if (t->rows)
			memset(t->row, 0, sizeof(t->row));
		t->rows = 0;
	}
	private()->births = private()->threads = 0;
}

void task_birth_begin(u64 flags, const u32 *view, struct task_birth *birth)
{
	__atomic_store_n(&private()->threads, 1, __ATOMIC_RELEASE);
	if (!(flags & CLONE_FS_) || view)
		__atomic_store_n(&words(TASK_VIEW)->rows, 1, __ATOMIC_RELEASE);
	birth->any = false;
	for (u32 kind = 0; kind < TASK_WORDS; kind++) {
		birth->has[kind] = task_rows(kind);
		birth->word[kind] = birth->has[kind] ? task_word(kind) : 0;
		birth->any |= birth->has[kind];
	}
	/* one that shares the process's view goes on doing so */
	if (view)
		birth->word[TASK_VIEW] = *view;
	else if (birth->has[TASK_VIEW] && (flags & CLONE_FS_) && !find_row(TASK_VIEW, (s32)sys0(__NR_gettid)))
		birth->has[TASK_VIEW] = false;
	if (birth->any)
		__atomic_add_fetch(&private()->births, 1, __ATOMIC_ACQ_REL);
}

void task_birth_end(s32 tid, const struct task_birth *birth)
{
	if (!birth->any)
		return;
	for (u32 kind = 0; kind < TASK_WORDS && tid > 0; kind++)
		if (birth->has[kind])
			write_row(kind, tid, birth->word[kind]); /* also over what a former thread of that number has left */
		else
			task_gone_kind(kind, tid);
	__atomic_sub_fetch(&private()->births, 1, __ATOMIC_ACQ_REL);
}

bool task_rows(enum task_word kind)
{
	return __atomic_load_n(&words(kind)->rows, __ATOMIC_ACQUIRE);
}

void task_vfork_child(enum task_word kind, u32 word)
{
	write_row(kind, (s32)sys0(__NR_gettid), word);
}

void task_gone_kind(enum task_word kind, s32 tid)
{
	u64 *row = task_rows(kind) ? find_row(kind, tid) : NULL;

	if (row)
		__atomic_store_n(row, 0, __ATOMIC_RELEASE);
}

void task_gone(s32 tid)
{
	for (u32 kind = 0; kind < TASK_WORDS; kind++)
		task_gone_kind(kind, tid);
}

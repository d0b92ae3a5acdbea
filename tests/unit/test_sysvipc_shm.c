/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap sysvipc, core and shared memory: identifiers, permissions, the heap; and that a process may be killed at any instruction.
 * The last is done literally: a child runs one call single-stepped and is killed after n instructions, for n from the first to the last
 * in strides; then every invariant of the area is checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_agent.h"
#include "gaps/sysvipc/shm_int.h"

#define STRIDE 29 /* instructions between two kills */
#define STEPS_MAX 400000

static long call3(long nr, u64 a, u64 b, u64 c)
{
	return fake_call(nr, a, b, c, 0);
}

static s32 new_segment(u64 size)
{
	long id = call3(SYS_shmget, IPC_PRIVATE, size, 0600);

	assert_true(id >= 0);
	return (s32)id;
}

static void *attach(s32 id)
{
	long at = call3(SYS_shmat, (u64)id, 0, 0);

	assert_true(at > 0);
	return (void *)at;
}

static long detach(const void *at)
{
	return call3(SYS_shmdt, (u64)at, 0, 0);
}

static long removed(s32 id)
{
	return call3(SYS_shmctl, (u64)id, IPC_RMID, 0);
}

static u32 users(s32 id)
{
	shm_lock();
	int index = shm_segment_find(id);
	u32 count = index < 0 ? UINT32_MAX : shm_segment_users(index);
	shm_unlock();
	return count;
}

/* --- invariants ---------------------------------------------------------------------------------------------------------------- */

static void check_segments(const struct shm_area *shm)
{
	u64 pages = 0;
	u32 used = 0, high = 0, doomed = 0;

	for (u32 i = 0; i < IPC_SLOTS; i++) {
		const struct shm_segment *a = &shm->segment[i];

		if (!ipc_ids_used(&shm->ids, i))
			continue;
		used++;
		high = i + 1;
		pages += shm_pages(a->size);
		doomed += (a->perm.mode & SHM_DEST) != 0;
		assert_true(a->offset >= commons()->mapped);
		assert_true(a->offset + a->size <= commons()->file_size);
		for (u32 j = 0; j < i; j++) {
			const struct shm_segment *b = &shm->segment[j];

			if (ipc_ids_used(&shm->ids, j))
				assert_true(a->offset + shm_pages(a->size) * 4096 <= b->offset ||
					    b->offset + shm_pages(b->size) * 4096 <= a->offset);
		}
	}
	assert_int_equal(shm->ids.in_use, used);
	assert_int_equal(shm->ids.high, high);
	assert_int_equal(shm->pages, pages);
	assert_int_equal(shm->doomed, doomed);
}

static void check_attaches(const struct shm_area *shm)
{
	static u8 own[SHM_ATTACHES_MAX], of_segment[SHM_ATTACHES_MAX], is_free[SHM_ATTACHES_MAX];
	u32 high = shm->attach_high;

	memset(own, 0, high);
	memset(of_segment, 0, high);
	memset(is_free, 0, high);
	for (u32 m = 0; m < COMMONS_MEMBERS_MAX; m++)
		for (u32 at = shm->own[m]; at; at = shm->attach[at - 1].next_own) {
			assert_int_equal(shm->attach[at - 1].owner, m + 1);
			assert_int_equal(own[at - 1]++, 0);
		}
	for (u32 i = 0; i < shm->ids.high; i++)
		for (u32 at = ipc_ids_used(&shm->ids, i) ? shm->segment[i].attaches : 0; at;
		     at = shm->attach[at - 1].next_segment) {
			assert_int_equal(shm->attach[at - 1].segment, i);
			assert_int_equal(of_segment[at - 1]++, 0);
		}
	for (u32 at = shm->attach_free; at; at = shm->attach[at - 1].next_own)
		assert_int_equal(is_free[at - 1]++, 0);
	for (u32 i = 0; i < high; i++) {
		bool used = shm->attach[i].owner != 0;

		assert_int_equal(own[i], used);
		assert_int_equal(of_segment[i], used);
		assert_int_equal(is_free[i], !used);
	}
}

static void check_invariants(void)
{
	shm_lock();
	check_segments(shm_area());
	check_attaches(shm_area());
	shm_unlock();
}

/* --- the core ------------------------------------------------------------------------------------------------------------------- */

static void ids_are_cyclic_and_count_sequences(void **state)
{
	static struct ipc_ids ids;

	(void)state;
	ids.last = -1;
	for (s32 i = 0; i < 64; i++) {
		assert_int_equal(ipc_ids_reserve(&ids, 4096), i);
		assert_int_equal(ipc_ids_publish(&ids, i, IPC_PRIVATE), i);
		ipc_ids_remove(&ids, i);
	}
	assert_int_equal(ipc_ids_reserve(&ids, 4096), 0);
	assert_int_equal(ipc_ids_publish(&ids, 0, 7), 1 << 15);
	assert_int_equal(ipc_ids_find_key(&ids, 7), 0);
	assert_int_equal(ipc_ids_find(&ids, 1 << 15), 0);
	assert_int_equal(ipc_ids_find(&ids, 0), -EINVAL);
	assert_int_equal(ipc_ids_find_index(&ids, 0), 0);
	assert_int_equal(ipc_ids_reserve(&ids, 1), -ENOSPC);
	ipc_ids_hide_key(&ids, 0);
	assert_int_equal(ipc_ids_find_key(&ids, 7), -ENOENT);
	assert_int_equal(ipc_ids_id(&ids, 0), 1 << 15);
	ids.in_use = 99;
	ids.high = 500;
	ipc_ids_rebuild(&ids);
	assert_int_equal(ids.in_use, 1);
	assert_int_equal(ids.high, 1);
}

static void sequence_wraps_below_its_maximum(void **state)
{
	static struct ipc_ids ids;

	(void)state;
	ids.last = 5;
	ids.next = 3;
	ids.sequence = IPC_SEQ_MAX - 1;
	assert_int_equal(ipc_ids_reserve(&ids, 10), 3);
	assert_int_equal(ipc_ids_publish(&ids, 3, 1), 3);
}

static void permission_bits_of_owner_group_and_others(void **state)
{
	struct ipc_rights perm = { .uid = 1, .gid = 10, .cuid = 2, .cgid = 20, .mode = 0640 };
	struct ipc_creds owner = { 1, 99, 0 }, creator = { 2, 99, 0 }, group = { 3, 20, 0 }, other = { 3, 99, 0 };
	struct ipc_creds root = { 3, 99, IPC_CAP_OWNER }, admin = { 3, 99, IPC_CAP_SYS_ADMIN };

	(void)state;
	assert_int_equal(ipc_perm_check(&perm, &owner, IPC_READ | IPC_WRITE), 0);
	assert_int_equal(ipc_perm_check(&perm, &creator, IPC_WRITE), 0);
	assert_int_equal(ipc_perm_check(&perm, &group, IPC_READ), 0);
	assert_int_equal(ipc_perm_check(&perm, &group, IPC_WRITE), -EACCES);
	assert_int_equal(ipc_perm_check(&perm, &other, IPC_READ), -EACCES);
	assert_int_equal(ipc_perm_check(&perm, &other, 0), 0);
	assert_int_equal(ipc_perm_check(&perm, &root, IPC_WRITE), 0);
	assert_int_equal(ipc_perm_check_owner(&perm, &group), -EPERM);
	assert_int_equal(ipc_perm_check_owner(&perm, &root), -EPERM);
	assert_int_equal(ipc_perm_check_owner(&perm, &admin), 0);
	perm.mode = 0604; /* a group member is judged by the group's bits alone */
	assert_int_equal(ipc_perm_check(&perm, &group, IPC_READ), -EACCES);
	assert_int_equal(ipc_perm_check(&perm, &other, IPC_READ), 0);
}

static void heap_gives_lowest_space_and_can_be_rebuilt(void **state)
{
	struct ipc_heap heap = { .granules = 128, .granule = 64 };
	u64 bitmap[2] = { 0 };

	(void)state;
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 1), 0);
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 64 * 70), 64);
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 65), 64 * 71);
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 64 * 56), -ENOMEM);
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 64 * 55), 64 * 73);
	assert_int_equal(heap.used, 128);
	ipc_heap_free(&heap, bitmap, 64, 64 * 70);
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 64 * 3), 64);
	ipc_heap_clear(&heap, bitmap);
	ipc_heap_mark(&heap, bitmap, 0, 64);
	assert_int_equal(heap.used, 1);
	assert_int_equal(ipc_heap_alloc(&heap, bitmap, 64), 64);
}

/* --- shared memory ------------------------------------------------------------------------------------------------------------------ */

static void killed_process_is_no_user(void **state)
{
	s32 id = new_segment(5000);
	char *at = attach(id);
	pid_t child;
	int status;

	(void)state;
	strcpy(at, "kept");
	child = fake_fork();
	if (child == 0)
		for (;;)
			pause();
	assert_int_equal(users(id), 2);
	assert_int_equal(detach(at), 0);
	assert_int_equal(removed(id), 0);
	assert_int_equal(users(id), 1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(users(id), UINT32_MAX);
	check_invariants();
}

static void destroyed_space_is_zero_when_used_again(void **state)
{
	struct shm_area *shm = shm_area();

	(void)state;
	for (int dirty = 0; dirty < 2; dirty++) {
		u64 base = ALIGN_UP(commons()->mapped, 4096);
		s32 id = new_segment(3 * 4096);
		char *at = attach(id);

		memset(at, 'x', 3 * 4096);
		assert_int_equal(detach(at), 0);
		if (dirty) { /* as on a host that cannot punch holes */
			int null = open("/dev/null", O_RDWR), fd = fake_commons_fd(null);
			assert_int_equal(removed(id), 0);
			assert_int_equal(fake_commons_fd(fd), null);
			close(null);
			assert_true(shm->dirty_end > base);
		} else {
			assert_int_equal(removed(id), 0);
			assert_int_equal(shm->dirty_end, 0);
		}
		shm->next_offset = base;
		id = new_segment(2 * 4096);
		at = attach(id);
		for (int i = 0; i < 2 * 4096; i++)
			assert_int_equal(at[i], 0);
		assert_int_equal(detach(at), 0);
		assert_int_equal(removed(id), 0);
	}
	shm->dirty_end = 0;
	check_invariants();
}

static void file_space_runs_out_with_enomem(void **state)
{
	(void)state;
	assert_int_equal(call3(SYS_shmget, IPC_PRIVATE, UINT64_C(1) << 40, 0600 | 010000 /* SHM_NORESERVE */), -ENOMEM);
	assert_int_equal(call3(SYS_shmget, IPC_PRIVATE, UINT64_C(1) << 63, 0600 | 010000), -EINVAL);
	check_invariants();
}

static void identity_is_asked_again_after_a_change(void **state)
{
	s32 id = new_segment(1);

	(void)state;
	fake_identity(77, 77, 77, 0);
	assert_int_equal(call3(SYS_shmat, (u64)id, 0, 0), -EACCES);
	assert_int_equal(removed(id), -EPERM);
	fake_identity(0, 0, 0, IPC_CAP_OWNER | IPC_CAP_LOCK | IPC_CAP_SYS_ADMIN);
	assert_int_equal(removed(id), 0);
}

/* --- death at any instruction --------------------------------------------------------------------------------------------------- */

static s32 victim_id;
static void *victim_at;

static void op_create(void)
{
	(void)call3(SYS_shmget, 4711, 100, 0600 | IPC_CREAT);
}

static void op_attach(void)
{
	(void)call3(SYS_shmat, (u64)victim_id, 0, 0);
}

/* shmdt and IPC_RMID from where they have compared /proc/self/maps: stepping through that takes minutes and changes nothing. */
static void op_detach(void)
{
	shm_lock();
	int at = shm_attach_find(member_self(), (u64)victim_at);
	if (at >= 0)
		shm_attach_drop((u32)at, agent_pid());
	shm_unlock();
}

static void op_remove(void)
{
	shm_lock();
	int index = shm_segment_find(victim_id);
	if (index >= 0)
		shm_segment_remove(index);
	shm_unlock();
}

/* IPC_RMID of a segment that nobody has attached any more. */
static void op_destroy(void)
{
	shm_lock();
	int index = shm_segment_find(victim_id);
	shm_attach_drop_all(0, agent_pid()); /* as if our parent, member 0, had died */
	shm_attach_drop_all(member_self(), agent_pid());
	if (index >= 0)
		shm_segment_remove(index);
	shm_unlock();
}

static void op_fork_events(void)
{
	sysvipc_event(EVENT_FORK_PREPARE, 0);
}

/* Runs op in a child for `steps` instructions, then kills it. Returns whether op was still running. */
static bool kill_after(void (*op)(void), int steps)
{
	pid_t child = fake_fork();
	int status;

	if (child == 0) {
		if (member_self() < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			abort();
		raise(SIGSTOP);
		op();
		raise(SIGSTOP);
		abort();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	bool running = true;
	for (int i = 0; i < steps && running; i++) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSTOPPED(status));
		running = WSTOPSIG(status) == SIGTRAP;
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return running;
}

static void survives_death_in(void (*op)(void))
{
	int steps = 1;

	for (bool running = true; running && steps < STEPS_MAX; steps += STRIDE) {
		victim_id = new_segment(4096);
		victim_at = attach(victim_id);
		running = kill_after(op, steps);
		check_invariants();
		int index = users(victim_id) == UINT32_MAX ? -EINVAL : 0;
		if (index == 0) {
			assert_in_range(users(victim_id), 0, 1);
			assert_int_equal(removed(victim_id), 0);
		}
		(void)detach(victim_at);
		check_invariants();
		long made = call3(SYS_shmget, 4711, 0, 0);
		if (made >= 0)
			assert_int_equal(removed((s32)made), 0);
		check_invariants();
		shm_lock();
		shm_sweep();
		assert_int_equal(shm_area()->ids.in_use, 0);
		shm_unlock();
	}
	assert_in_range(steps, 200, STEPS_MAX - 1);
}

static void death_in_shmget(void **state)
{
	(void)state;
	survives_death_in(op_create);
}

static void death_in_shmat(void **state)
{
	(void)state;
	survives_death_in(op_attach);
}

static void death_in_shmdt(void **state)
{
	(void)state;
	survives_death_in(op_detach);
}

static void death_in_rmid(void **state)
{
	(void)state;
	survives_death_in(op_remove);
}

static void death_in_destruction(void **state)
{
	(void)state;
	survives_death_in(op_destroy);
}

static void death_before_fork(void **state)
{
	(void)state;
	survives_death_in(op_fork_events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_cyclic_and_count_sequences),
		cmocka_unit_test(sequence_wraps_below_its_maximum),
		cmocka_unit_test(permission_bits_of_owner_group_and_others),
		cmocka_unit_test(heap_gives_lowest_space_and_can_be_rebuilt),
		cmocka_unit_test(killed_process_is_no_user),
		cmocka_unit_test(destroyed_space_is_zero_when_used_again),
		cmocka_unit_test(file_space_runs_out_with_enomem),
		cmocka_unit_test(identity_is_asked_again_after_a_change),
		cmocka_unit_test(death_in_shmget),
		cmocka_unit_test(death_in_shmat),
		cmocka_unit_test(death_in_shmdt),
		cmocka_unit_test(death_in_rmid),
		cmocka_unit_test(death_in_destruction),
		cmocka_unit_test(death_before_fork),
	};

	fake_cell_new();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

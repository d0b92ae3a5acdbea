/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as rows, what is in them as chains of blocks, and who holds keyrings (keyring.h). */
#include "gaps/keyring/keyring_int.h"

/* --- blocks ------------------------------------------------------------------------------------------------------------------------- */

static void count_blocks(void)
{
	struct keyring_area *area = keyring_area();

	memset(area->block_used, 0, sizeof(area->block_used));
	for (u32 i = 0; i < KEYS_MAX; i++) {
		u32 at = area->key[i].used ? (u32)area->key[i].data : 0;

		for (; at && at <= KEY_BLOCKS && !area->block_used[at - 1]; at = area->block[at - 1].next)
			area->block_used[at - 1] = 1;
	}
}

static void free_chain(u32 at)
{
	struct keyring_area *area = keyring_area();

	for (; at && at <= KEY_BLOCKS && area->block_used[at - 1]; at = area->block[at - 1].next)
		area->block_used[at - 1] = 0;
}

static u32 take_block(u32 from)
{
	struct keyring_area *area = keyring_area();

	for (u32 i = from; i < KEY_BLOCKS; i++)
		if (!area->block_used[i]) {
			area->block_used[i] = 1;
			area->block[i].next = 0;
			return i + 1;
		}
	return 0;
}

long key_fill(struct keyring_key *key, const void *bytes, u32 size)
{
	struct keyring_area *area = keyring_area();
	u32 first = 0, *link = &first, old = (u32)key->data;

	for (u32 at = 0; at < size; at += KEY_BLOCK) {
		u32 n = size - at < KEY_BLOCK ? size - at : KEY_BLOCK, block = take_block(*link);

		if (!block) {
			free_chain(first);
			return -ENOMEM;
		}
		memcpy(area->block[block - 1].bytes, (const u8 *)bytes + at, n);
		*link = block;
		link = &area->block[block - 1].next;
	}
	__atomic_store_n(&key->data, (u64)size << 32 | first, __ATOMIC_RELEASE);
	free_chain(old);
	return 0;
}

u32 key_size(const struct keyring_key *key)
{
	return (u32)(key->data >> 32);
}

u32 key_read(const struct keyring_key *key, u32 at, void *to, u32 size)
{
	const struct keyring_area *area = keyring_area();
	u32 block = (u32)key->data, left = key_size(key), done = 0;

	for (; block && block <= KEY_BLOCKS && left && done < size; block = area->block[block - 1].next) {
		u32 here = left < KEY_BLOCK ? left : KEY_BLOCK;

		if (at < here) {
			u32 n = here - at < size - done ? here - at : size - done;

			memcpy((u8 *)to + done, area->block[block - 1].bytes + at, n);
			done += n;
			at = 0;
		} else {
			at -= here;
		}
		left -= here;
	}
	return done;
}

/* --- keys ----------------------------------------------------------------------------------------------------------------------------- */

long keys_lock(void)
{
	if (member_self() < 0)
		return -ENOMEM;
	if (lock_take((struct lock *)(void *)&keyring_area()->lock) == 1)
		count_blocks();
	return 0;
}

void keys_unlock(void)
{
	lock_release((struct lock *)(void *)&keyring_area()->lock);
}

struct keyring_key *key_by_serial(s32 serial)
{
	struct keyring_key *key = keyring_area()->key;

	for (u32 i = 0; i < KEYS_MAX && serial > 0; i++)
		if (key[i].used && key[i].serial == serial && !(key[i].flags & KEY_INVALIDATED))
			return &key[i];
	return NULL;
}

static s32 new_serial(void)
{
	s32 serial;

	do
		serial = (s32)(++keyring_area()->serials * 2654435761u >> 1);
	while (serial < 3 || key_by_serial(serial));
	return serial;
}

static struct keyring_key *free_key(void)
{
	struct keyring_key *key = keyring_area()->key;

	for (u32 i = 0; i < KEYS_MAX; i++)
		if (!key[i].used)
			return &key[i];
	return NULL;
}

struct keyring_key *key_new(u32 type, const char *name, u32 perm, u32 flags)
{
	struct agent_creds creds;
	struct keyring_key *key = free_key();

	if (!key) {
		keys_sweep();
		key = free_key();
	}
	if (!key)
		return NULL;
	agent_creds_get(&creds);
	memset(key, 0, sizeof(*key));
	*key = (struct keyring_key){
		.serial = new_serial(), .type = type, .uid = creds.euid, .gid = creds.egid, .perm = perm, .flags = flags
	};
	memcpy(key->name, name, strlen(name) + 1);
	__atomic_store_n(&key->used, 1, __ATOMIC_RELEASE);
	return key;
}

void key_drop(struct keyring_key *key)
{
	__atomic_store_n(&key->used, 0, __ATOMIC_RELEASE);
	free_chain((u32)key->data);
}

/* --- links ---------------------------------------------------------------------------------------------------------------------------- */

u32 key_links(const struct keyring_key *key)
{
	return key_size(key) / sizeof(s32);
}

struct keyring_key *key_link_at(const struct keyring_key *key, u32 n)
{
	s32 serial = 0;

	return key_read(key, n * (u32)sizeof(serial), &serial, sizeof(serial)) == sizeof(serial) ? key_by_serial(serial) : NULL;
}

/* Writes the links anew, without those that are gone, one of them, and those that another of the same type and name takes the place of. */
static long write_links(struct keyring_key *keyring, const struct keyring_key *without, const struct keyring_key *with)
{
	s32 *serials = agent_scratch();
	u32 count = 0;

	for (u32 i = 0; i < key_links(keyring) && count < KEY_LINKS_MAX; i++) {
		const struct keyring_key *key = key_link_at(keyring, i);

		if (!key || key == without || (with && key->type == with->type && !strcmp(key->name, with->name)))
			continue;
		serials[count++] = key->serial;
	}
	if (with && count == KEY_LINKS_MAX)
		return -ENFILE;
	if (with)
		serials[count++] = with->serial;
	return key_fill(keyring, serials, count * (u32)sizeof(s32));
}

long key_link(struct keyring_key *keyring, struct keyring_key *key)
{
	if (keyring->type != KEY_KEYRING)
		return -ENOTDIR;
	if (key->type == KEY_KEYRING && (key == keyring || key_lies_in(keyring, key, 0)))
		return -EDEADLK;
	return write_links(keyring, NULL, key);
}

long key_unlink(struct keyring_key *keyring, const struct keyring_key *key)
{
	if (keyring->type != KEY_KEYRING)
		return -ENOTDIR;
	for (u32 i = 0; i < key_links(keyring); i++) {
		const struct keyring_key *at = key_link_at(keyring, i);

		if (at && at->type == key->type && !strcmp(at->name, key->name)) /* as the kernel's index has it */
			return write_links(keyring, at, NULL);
	}
	return -ENOENT;
}

/* --- holders -------------------------------------------------------------------------------------------------------------------------- */

s32 key_held(s32 task, u32 kind)
{
	const struct keyring_holder *holder = keyring_area()->holder;

	for (u32 i = 0; i < KEY_HOLDERS; i++)
		if (__atomic_load_n(&holder[i].task, __ATOMIC_ACQUIRE) == task && holder[i].kind == kind)
			return holder[i].serial;
	return 0;
}

void key_let_go(s32 task, u32 kind)
{
	struct keyring_holder *holder = keyring_area()->holder;

	for (u32 i = 0; i < KEY_HOLDERS; i++)
		if (__atomic_load_n(&holder[i].task, __ATOMIC_ACQUIRE) == task && holder[i].kind == kind)
			__atomic_store_n(&holder[i].task, 0, __ATOMIC_RELEASE);
}

/* Takes a free place; over: also one of a task that has ended. */
static struct keyring_holder *take_holder(bool over)
{
	struct keyring_holder *holder = keyring_area()->holder;

	for (u32 i = 0; i < KEY_HOLDERS; i++) {
		s32 was = __atomic_load_n(&holder[i].task, __ATOMIC_ACQUIRE);

		if ((was == 0 || (over && was > 0 && sys2(__NR_tkill, was, 0) == -ESRCH)) &&
		    __atomic_compare_exchange_n(&holder[i].task, &was, -1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return &holder[i];
	}
	return NULL;
}

/* Also without the lock: by a child that begins. */
void key_hold(s32 task, u32 kind, s32 serial)
{
	struct keyring_holder *holder;

	key_let_go(task, kind);
	holder = take_holder(false);
	if (!holder)
		holder = take_holder(true);
	if (!holder)
		return;
	holder->kind = kind;
	holder->serial = serial;
	__atomic_store_n(&holder->task, task, __ATOMIC_RELEASE);
}

/* Marks what is held by living tasks, then what lies in what is marked. */
static void mark(void)
{
	struct keyring_area *area = keyring_area();
	bool more = true;

	for (u32 i = 0; i < KEYS_MAX; i++)
		area->key[i].reached = area->key[i].flags & KEY_OF_USER ? 1 : 0;
	for (u32 i = 0; i < KEY_HOLDERS; i++) {
		s32 task = __atomic_load_n(&area->holder[i].task, __ATOMIC_ACQUIRE);
		struct keyring_key *key = task > 0 ? key_by_serial(area->holder[i].serial) : NULL;

		if (key && !key->reached && sys2(__NR_tkill, task, 0) != -ESRCH)
			key->reached = 1;
	}
	while (more) {
		more = false;
		for (u32 i = 0; i < KEYS_MAX; i++) {
			struct keyring_key *from = &area->key[i];

			if (!from->used || from->reached != 1)
				continue;
			from->reached = 2;
			for (u32 n = 0; from->type == KEY_KEYRING && n < key_links(from); n++) {
				struct keyring_key *key = key_link_at(from, n);

				if (key && !key->reached) {
					key->reached = 1;
					more = true;
				}
			}
		}
	}
}

void keys_sweep(void)
{
	struct keyring_key *key = keyring_area()->key;

	mark();
	for (u32 i = 0; i < KEYS_MAX; i++)
		if (key[i].used && (!key[i].reached || (key[i].flags & KEY_INVALIDATED)))
			key_drop(&key[i]);
}

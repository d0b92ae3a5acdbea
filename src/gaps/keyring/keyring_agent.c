/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap keyring, agent half: keys and keyrings that belong to the cell (keyrings(7)), of types user, logon and keyring.
 *
 *   keyctl.c     this file      which operation; /proc/keys, /proc/key-users; fork and execve
 *   key_calls.c                 the operations
 *   key_access.c                permissions, possession, searches, KEY_SPEC_… numbers
 *   key_store.c                 rows, contents, links; what nobody holds goes
 *
 * The session keyring of a task is its word of the engine (agent_keyring_word()), inherited by threads and children; over execve a row takes it
 * along. A key stays as long as it lies in a keyring that a living task, or a user, has.
 *
 * Limits: keyring.h. And:
 *   - Other types than these are ENODEV; request_key calls no program (ENOKEY). Of keyctl, SESSION_TO_PARENT is EPERM, GET_PERSISTENT, MOVE, RESTRICT_KEYRING,
 *     WATCH_KEY, and what is done with cryptography and by those who instantiate keys, EOPNOTSUPP.
 *   - Keys of the machine are not seen. What a key says of its use in /proc/keys is how many keyrings it lies in.
 *   - Threads that keep another session keyring than the one that their process joined later hold it no longer than it lies elsewhere, too.
 *   - Quotas are those of a kernel without changes: 200 keys and 20000 bytes for other users than root.
 */
#include "base/decimal.h"
#include "gaps/keyring/key_calls.h"

/* linux/keyctl.h */
enum keyctl_op {
	OP_GET_KEYRING_ID,
	OP_JOIN_SESSION,
	OP_UPDATE,
	OP_REVOKE,
	OP_CHOWN,
	OP_SETPERM,
	OP_DESCRIBE,
	OP_CLEAR,
	OP_LINK,
	OP_UNLINK,
	OP_SEARCH,
	OP_READ,
	OP_SET_REQKEY = 14,
	OP_SET_TIMEOUT = 15,
	OP_GET_SECURITY = 17,
	OP_SESSION_TO_PARENT = 18,
	OP_INVALIDATE = 21,
	OP_CAPABILITIES = 31,
};

/* --- text ------------------------------------------------------------------------------------------------------------------------------ */

struct text {
	char *to;
	u64 used, room;
};

static void put(struct text *t, const char *from)
{
	for (; *from; from++, t->used++)
		if (t->used < t->room)
			t->to[t->used] = *from;
}

static void put_number(struct text *t, s64 value, u32 width)
{
	char digits[DECIMAL_MAX + 1];
	u64 n = decimal_put(digits, (u32)(value < 0 ? -value : value));

	digits[n] = 0;
	for (n += value < 0; n < width; n++)
		put(t, " ");
	if (value < 0)
		put(t, "-");
	put(t, digits);
}

static void put_hex(struct text *t, u32 value)
{
	char digits[9];

	for (int i = 7; i >= 0; i--, value >>= 4)
		digits[i] = "0123456789abcdef"[value & 15];
	digits[8] = 0;
	put(t, digits);
}

/* type;uid;gid;perm;name */
long keyctl_describe(const u64 *a)
{
	char line[KEY_NAME_SIZE + 64];
	struct text t = { .to = line, .room = sizeof(line) };
	struct key_ref ref;
	long r = key_find((s32)a[0], LOOK_PARTIAL, NEED_VIEW, &ref);

	if (r < 0)
		return r;
	put(&t, key_type_name(ref.key));
	put(&t, ";");
	put_number(&t, (s32)ref.key->uid, 0);
	put(&t, ";");
	put_number(&t, (s32)ref.key->gid, 0);
	put(&t, ";");
	put_hex(&t, ref.key->perm);
	put(&t, ";");
	put(&t, ref.key->name);
	line[t.used++] = 0;
	if (a[1] && a[2] >= t.used && guest_write(a[1], line, t.used) < 0)
		return -EFAULT;
	return (long)t.used;
}

/* --- the call -------------------------------------------------------------------------------------------------------------------------- */

/* No security module labels keys: an empty string. */
static long get_security(const u64 *a)
{
	struct key_ref ref;
	long r = key_find((s32)a[0], LOOK_PARTIAL, NEED_VIEW, &ref);

	if (r == 0 && a[1] && a[2] && guest_write(a[1], "", 1) < 0)
		return -EFAULT;
	return r < 0 ? r : 1;
}

static long capabilities(const u64 *a)
{
	u8 caps[2] = { 0x21, 0 }; /* CAPABILITIES, INVALIDATE */

	return a[0] && a[1] && guest_write(a[0], caps, a[1] < sizeof(caps) ? a[1] : sizeof(caps)) < 0 ? -EFAULT
												      : (long)sizeof(caps);
}

static long operate(u32 op, const u64 *a)
{
	switch (op) {
	case OP_GET_KEYRING_ID:
		return keyctl_get_id(a);
	case OP_JOIN_SESSION:
		return keyctl_join(a);
	case OP_UPDATE:
		return keyctl_update(a);
	case OP_REVOKE:
		return keyctl_revoke(a);
	case OP_CHOWN:
		return keyctl_chown(a);
	case OP_SETPERM:
		return keyctl_setperm(a);
	case OP_DESCRIBE:
		return keyctl_describe(a);
	case OP_CLEAR:
		return keyctl_clear(a);
	case OP_LINK:
		return keyctl_link(a);
	case OP_UNLINK:
		return keyctl_unlink(a);
	case OP_SEARCH:
		return keyctl_search(a);
	case OP_READ:
		return keyctl_read(a);
	case OP_SET_REQKEY: /* request_key makes no keys: there is nothing to be put anywhere */
		return (s32)a[0] >= -1 && (s32)a[0] <= 7 && (s32)a[0] != 6 ? 0 : -EINVAL;
	case OP_SET_TIMEOUT:
		return keyctl_set_timeout(a);
	case OP_GET_SECURITY:
		return get_security(a);
	case OP_SESSION_TO_PARENT:
		return -EPERM;
	case OP_INVALIDATE:
		return keyctl_invalidate(a);
	case OP_CAPABILITIES:
		return capabilities(a);
	default:
		return -EOPNOTSUPP;
	}
}

enum verdict keyring_keyctl(struct call *call)
{
	long r = keys_lock();

	if (r == 0) {
		r = operate((u32)call->arg[0], call->arg + 1);
		keys_unlock();
	}
	return key_done(call, r);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------------ */

/* A new image: its session keyring is that of whoever executed it; thread and process keyrings are gone. */
static void executed(s32 pid)
{
	s32 serial = key_held(pid, HOLDER_EXEC);

	key_let_go(pid, HOLDER_EXEC);
	key_let_go(pid, HOLDER_PROCESS);
	key_let_go(pid, HOLDER_THREAD);
	if (serial) {
		agent_keyring_word_set((u32)serial);
		key_hold(pid, HOLDER_SESSION, serial);
	}
}

void keyring_event(enum agent_event event, long arg)
{
	s32 word;

	(void)arg;
	if (!__atomic_load_n(&keyring_area()->serials, __ATOMIC_ACQUIRE))
		return; /* no key has ever been made */
	word = event == EVENT_FORK_CHILD || event == EVENT_EXEC_PREPARE ? (s32)agent_keyring_word() : 0;
	switch (event) {
	case EVENT_FORK_CHILD:
		if (word)
			key_hold(agent_pid(), HOLDER_SESSION, word);
		break;
	case EVENT_EXEC_PREPARE:
		key_let_go(agent_caller_pid(), HOLDER_EXEC);
		if (word)
			key_hold(agent_caller_pid(), HOLDER_EXEC, word);
		break;
	case EVENT_EXEC:
		executed(agent_pid());
		break;
	case EVENT_EXIT:
	case EVENT_FORK_PARENT:
	case EVENT_FORK_PREPARE:
	case EVENT_BECOME:
		break;
	}
}

void keyring_member_reap(int member)
{
	(void)member; /* holders are told by their pids */
}

/* --- files ----------------------------------------------------------------------------------------------------------------------------- */

enum file { FILE_NONE, FILE_KEYS, FILE_USERS };

static u32 file_of(const char *path)
{
	return !strcmp(path, "/proc/keys") ? FILE_KEYS : !strcmp(path, "/proc/key-users") ? FILE_USERS : FILE_NONE;
}

bool keyring_vfs_find(const char *path, struct vnode *node)
{
	node->id = 4096 + file_of(path);
	node->mode = VFS_REGULAR | 0444;
	return file_of(path) != FILE_NONE;
}

bool keyring_vfs_knows(const char *last)
{
	return !strcmp(last, "keys") || !strcmp(last, "key-users");
}

static void put_expiry(struct text *t, const struct keyring_key *key)
{
	static const struct {
		s64 seconds;
		char unit[2];
	} units[] = { { 60, "s" }, { 3600, "m" }, { 86400, "h" }, { 604800, "d" } };
	s64 left = key->expiry - agent_now(), unit = 1;

	if (!key->expiry || left <= 0) {
		put(t, key->expiry ? "expd" : "perm");
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(units); i++) {
		if (left < units[i].seconds) {
			put_number(t, left / unit, 3);
			put(t, units[i].unit);
			return;
		}
		unit = units[i].seconds;
	}
	put_number(t, left / unit, 3);
	put(t, "w");
}

static void put_key(struct text *t, const struct keyring_key *key)
{
	u32 uses = 0, size = key_size(key);

	for (u32 i = 0; i < KEYS_MAX; i++)
		uses += keyring_area()->key[i].used && keyring_area()->key[i].type == KEY_KEYRING &&
			key_lies_in(key, &keyring_area()->key[i], 5);
	put_hex(t, (u32)key->serial);
	put(t, " I");
	put(t, key->flags & KEY_REVOKED ? "R" : "-");
	put(t, "-");
	put(t, key->flags & KEY_IN_QUOTA ? "Q" : "-");
	put(t, "--- ");
	put_number(t, uses ? uses : 1, 5);
	put(t, " ");
	put_expiry(t, key);
	put(t, " ");
	put_hex(t, key->perm);
	put(t, " ");
	put_number(t, (s32)key->uid, 5);
	put(t, " ");
	put_number(t, (s32)key->gid, 5);
	put(t, key->type == KEY_KEYRING ? " keyring   " : key->type == KEY_USER ? " user      " : " logon     ");
	put(t, key->name);
	put(t, ": ");
	if (key->type == KEY_KEYRING && !key_links(key))
		put(t, "empty");
	else
		put_number(t, key->type == KEY_KEYRING ? key_links(key) : size, 0);
	put(t, "\n");
}

/* Those that the caller may view. */
static void put_keys(struct text *t)
{
	for (u32 i = 0; i < KEYS_MAX; i++) {
		struct keyring_key *key = &keyring_area()->key[i];
		struct key_ref ref;

		if (key->used && key_find(key->serial, LOOK_PARTIAL, 0, &ref) == 0 && key_permits(&ref, NEED_VIEW) == 0)
			put_key(t, key);
	}
}

static void put_users(struct text *t)
{
	const struct keyring_key *key = keyring_area()->key;

	for (u32 i = 0; i < KEYS_MAX; i++) {
		u32 keys, bytes, all = 0;
		bool before = false;

		for (u32 n = 0; n < KEYS_MAX; n++) {
			before |= n < i && key[n].used && key[n].uid == key[i].uid;
			all += key[n].used && key[n].uid == key[i].uid;
		}
		if (!key[i].used || before)
			continue;
		key_usage(key[i].uid, &keys, &bytes);
		put_number(t, (s32)key[i].uid, 5);
		put(t, ": ");
		put_number(t, all, 5);
		put(t, " ");
		put_number(t, all, 0);
		put(t, "/");
		put_number(t, all, 0);
		put(t, " ");
		put_number(t, keys, 0);
		put(t, key[i].uid ? "/200 " : "/1000000 ");
		put_number(t, bytes, 0);
		put(t, key[i].uid ? "/20000\n" : "/25000000\n");
	}
}

long keyring_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	struct text t = { .to = buffer, .room = size };
	long r = keys_lock();

	(void)path;
	if (r < 0)
		return r;
	keys_sweep();
	if (node->id == 4096 + FILE_KEYS)
		put_keys(&t);
	else
		put_users(&t);
	keys_unlock();
	return (long)t.used;
}

long keyring_vfs_open(const struct vnode *node, const char *path, int flags)
{
	(void)node, (void)path, (void)flags;
	return -EOPNOTSUPP;
}

long keyring_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	(void)node, (void)path, (void)bytes, (void)size;
	return -EACCES;
}

bool keyring_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	static const char names[][12] = { "keys", "key-users" };

	if (strcmp(path, "/proc") || n >= ARRAY_SIZE(names))
		return false;
	memcpy(entry->name, names[n], sizeof(names[n]));
	entry->mode = VFS_REGULAR;
	return true;
}

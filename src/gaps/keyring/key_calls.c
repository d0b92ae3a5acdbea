/* SPDX-License-Identifier: Apache-2.0 */
/* add_key(2), request_key(2), and what keyctl(2) does with one key or keyring: in the order of checks of security/keys/keyctl.c. */
#include "gaps/keyring/key_calls.h"

#define TYPE_SIZE 32u
#define PAYLOAD_MAX 1048575u /* of any type */
#define USER_PAYLOAD_MAX 32767u
#define UPDATE_MAX 4096u
#define NOBODY 0xffffffffu

#define POS_VIEW 0x01000000u
#define POS_READ 0x02000000u
#define POS_WRITE 0x04000000u
#define POS_REST 0x38000000u /* search, link, setattr */
#define USR_VIEW 0x00010000u

#define QUOTA_KEYS 200u
#define QUOTA_BYTES 20000u

static long read_type(u64 from, char type[TYPE_SIZE])
{
	long n = guest_read_string(type, from, TYPE_SIZE);

	if (n <= 0)
		return n == -EFAULT ? n : -EINVAL;
	return type[0] == '.' ? -EPERM : 0;
}

static long read_name(u64 from, char name[KEY_NAME_SIZE])
{
	long n = guest_read_string(name, from, KEY_NAME_SIZE);

	return n == -ENAMETOOLONG ? -EINVAL : n < 0 ? n : 0;
}

static u32 type_of(const char *type)
{
	return !strcmp(type, "keyring") ? KEY_KEYRING : !strcmp(type, "user") ? KEY_USER : !strcmp(type, "logon") ? KEY_LOGON : 0;
}

const char *key_type_name(const struct keyring_key *key)
{
	return key->type == KEY_KEYRING ? "keyring" : key->type == KEY_USER ? "user" : "logon";
}

/* What a user's keys take. */
void key_usage(u32 uid, u32 *ret_keys, u32 *ret_bytes)
{
	const struct keyring_key *key = keyring_area()->key;

	*ret_keys = *ret_bytes = 0;
	for (u32 i = 0; i < KEYS_MAX; i++)
		if (key[i].used && key[i].uid == uid && (key[i].flags & KEY_IN_QUOTA)) {
			++*ret_keys;
			*ret_bytes += (u32)strlen(key[i].name) + 1 + key_size(&key[i]);
		}
}

static bool in_quota(u32 more)
{
	struct agent_creds creds;
	u32 keys, bytes;

	agent_creds_get(&creds);
	key_usage(creds.euid, &keys, &bytes);
	return creds.euid == 0 || (keys < QUOTA_KEYS && bytes + more <= QUOTA_BYTES);
}

/* A logon key's name has a service before a colon. */
static long check_new(u32 type, const char *name, u64 payload, u64 size)
{
	const char *colon = name;

	if (type == KEY_KEYRING)
		return size ? -EINVAL : 0;
	while (*colon && *colon != ':')
		colon++;
	if (type == KEY_LOGON && (!*colon || colon == name))
		return -EINVAL;
	return !payload || size < 1 || size > USER_PAYLOAD_MAX ? -EINVAL : 0;
}

static long fill_from_guest(struct keyring_key *key, u64 payload, u64 size)
{
	void *bytes = agent_scratch();

	if (size && guest_read(bytes, payload, size) < 0)
		return -EFAULT;
	return key_fill(key, bytes, (u32)size) < 0 ? -EDQUOT : 0;
}

static struct keyring_key *linked(const struct keyring_key *keyring, u32 type, const char *name)
{
	for (u32 i = 0; i < key_links(keyring); i++) {
		struct keyring_key *key = key_link_at(keyring, i);

		if (key && key->type == type && !strcmp(key->name, name))
			return key;
	}
	return NULL;
}

static long add(struct key_ref *ring, u32 type, const char *name, u64 payload, u64 size)
{
	struct key_ref old = { linked(ring->key, type, name), ring->possessed };
	u32 perm = POS_VIEW | POS_REST | USR_VIEW | POS_WRITE | (type == KEY_LOGON ? 0 : POS_READ);
	struct keyring_key *key;
	long r;

	if (old.key && type != KEY_KEYRING && !(old.key->flags & KEY_REVOKED)) {
		r = key_permits(&old, NEED_WRITE);
		if (r == 0)
			r = fill_from_guest(old.key, payload, size);
		if (r == 0)
			old.key->expiry = 0;
		return r < 0 ? r : old.key->serial;
	}
	if (!in_quota((u32)strlen(name) + 1 + (u32)size))
		return -EDQUOT;
	key = key_new(type, name, perm, KEY_IN_QUOTA | KEY_NAMED);
	if (!key)
		return -EDQUOT;
	r = fill_from_guest(key, payload, size);
	if (r == 0)
		r = key_link(ring->key, key);
	if (r < 0)
		key_drop(key);
	return r < 0 ? r : key->serial;
}

enum verdict keyring_add_key(struct call *call)
{
	char type[TYPE_SIZE], name[KEY_NAME_SIZE] = "";
	u64 payload = call->arg[2], size = call->arg[3];
	struct key_ref ring;
	long r = size > PAYLOAD_MAX ? -EINVAL : read_type(call->arg[0], type);

	if (r == 0 && call->arg[1])
		r = read_name(call->arg[1], name);
	if (r == 0 && name[0] == '.' && type_of(type) == KEY_KEYRING)
		r = -EPERM;
	if (r == 0 && size && size <= USER_PAYLOAD_MAX && guest_read(agent_scratch(), payload, size) < 0)
		r = -EFAULT;
	if (r == 0)
		r = keys_lock();
	if (r < 0)
		return key_done(call, r);
	r = key_find((s32)call->arg[4], LOOK_CREATE, NEED_WRITE, &ring);
	if (r == 0)
		r = !type_of(type) ? -ENODEV : !name[0] ? -EINVAL : ring.key->type != KEY_KEYRING ? -ENOTDIR : 0;
	if (r == 0)
		r = check_new(type_of(type), name, payload, size);
	if (r == 0)
		r = add(&ring, type_of(type), name, payload, size);
	keys_unlock();
	return key_done(call, r);
}

/* The end of a search: what was found is linked to a keyring, if one was given. */
static long link_found(long r, struct key_ref *found, struct keyring_key *to)
{
	if (r == -EAGAIN)
		return -ENOKEY;
	if (r == 0 && to) {
		r = key_permits(found, NEED_LINK);
		if (r == 0)
			r = key_link(to, found->key);
	}
	return r < 0 ? r : found->key->serial;
}

enum verdict keyring_request_key(struct call *call)
{
	char type[TYPE_SIZE], name[KEY_NAME_SIZE];
	struct key_ref to = { 0 }, found = { 0 };
	long r = read_type(call->arg[0], type);
	u8 byte;

	if (r == 0)
		r = read_name(call->arg[1], name);
	if (r == 0 && call->arg[2] && guest_read(&byte, call->arg[2], 1) < 0)
		r = -EFAULT;
	if (r == 0)
		r = keys_lock();
	if (r < 0)
		return key_done(call, r);
	if ((s32)call->arg[3])
		r = key_find((s32)call->arg[3], LOOK_CREATE, NEED_WRITE, &to);
	if (r == 0 && !type_of(type))
		r = -ENOKEY;
	if (r == 0)
		r = link_found(key_search_own(type_of(type), name, &found), &found, to.key);
	keys_unlock();
	return key_done(call, r);
}

/* --- keyctl: a and its kin are the call's arguments behind the operation --------------------------------------------------------------- */

long keyctl_search(const u64 *a)
{
	char type[TYPE_SIZE], name[KEY_NAME_SIZE];
	struct key_ref ring, to = { 0 }, found = { 0 };
	long r = read_type(a[1], type);

	if (r == 0)
		r = read_name(a[2], name);
	if (r == 0)
		r = key_find((s32)a[0], 0, NEED_SEARCH, &ring);
	if (r == 0 && (s32)a[3])
		r = key_find((s32)a[3], LOOK_CREATE, NEED_WRITE, &to);
	if (r == 0 && !type_of(type))
		r = -ENOKEY;
	return r < 0 ? r : link_found(key_search(&ring, type_of(type), name, &found), &found, to.key);
}

long keyctl_join(const u64 *a)
{
	char name[KEY_NAME_SIZE];
	long r = a[0] ? read_name(a[0], name) : 0;

	if (r == 0 && a[0] && name[0] == '.')
		r = -EPERM;
	if (r < 0)
		return r;
	r = key_join(a[0] ? name : NULL);
	keys_sweep();
	return r;
}

long keyctl_update(const u64 *a)
{
	struct key_ref ref;
	long r = a[2] > UPDATE_MAX ? -EINVAL : 0;

	if (r == 0 && a[1] && a[2] && guest_read(agent_scratch(), a[1], a[2]) < 0)
		r = -EFAULT;
	if (r == 0)
		r = key_find((s32)a[0], 0, NEED_WRITE, &ref);
	if (r == 0 && ref.key->type == KEY_KEYRING)
		r = -EOPNOTSUPP;
	if (r == 0)
		r = check_new(KEY_USER, ref.key->name, a[1], a[2]);
	if (r == 0)
		r = fill_from_guest(ref.key, a[1], a[2]);
	if (r == 0)
		ref.key->expiry = 0;
	return r;
}

long keyctl_read(const u64 *a)
{
	struct key_ref ref;
	u32 size;
	long r = key_find((s32)a[0], LOOK_PARTIAL, 0, &ref);

	if (r < 0)
		return r;
	r = key_permits(&ref, NEED_READ);
	if (r < 0 && !ref.possessed)
		return r;
	if (ref.key->type == KEY_LOGON)
		return -EOPNOTSUPP;
	r = key_valid(ref.key);
	if (r < 0)
		return r;
	size = key_size(ref.key);
	if (!a[1] || size > a[2] || !size)
		return size;
	(void)key_read(ref.key, 0, agent_scratch(), size);
	return guest_write(a[1], agent_scratch(), size) < 0 ? -EFAULT : (long)size;
}

long keyctl_revoke(const u64 *a)
{
	struct key_ref ref;
	long r = key_find((s32)a[0], 0, NEED_WRITE, &ref);

	if (r == -EACCES)
		r = key_find((s32)a[0], 0, NEED_SETATTR, &ref);
	if (r == 0)
		ref.key->flags |= KEY_REVOKED;
	if (r == 0 && ref.key->type == KEY_KEYRING) {
		(void)!key_fill(ref.key, NULL, 0);
		keys_sweep();
	}
	return r;
}

long keyctl_invalidate(const u64 *a)
{
	struct key_ref ref;
	long r = key_find((s32)a[0], 0, NEED_SEARCH, &ref);

	if (r == 0) {
		ref.key->flags |= KEY_INVALIDATED;
		keys_sweep();
	}
	return r;
}

long keyctl_clear(const u64 *a)
{
	struct key_ref ref;
	long r = key_find((s32)a[0], LOOK_CREATE, NEED_WRITE, &ref);

	if (r == 0)
		r = ref.key->type != KEY_KEYRING ? -ENOTDIR : key_fill(ref.key, NULL, 0);
	if (r == 0)
		keys_sweep();
	return r;
}

long keyctl_link(const u64 *a)
{
	struct key_ref ring, key;
	long r = key_find((s32)a[1], LOOK_CREATE, NEED_WRITE, &ring);

	if (r == 0)
		r = key_find((s32)a[0], LOOK_CREATE, NEED_LINK, &key);
	if (r == 0)
		r = key_link(ring.key, key.key);
	if (r == 0)
		keys_sweep(); /* it may have taken another's place */
	return r;
}

long keyctl_unlink(const u64 *a)
{
	struct key_ref ring, key;
	long r = key_find((s32)a[1], 0, NEED_WRITE, &ring);

	if (r == 0)
		r = key_find((s32)a[0], LOOK_PARTIAL, 0, &key);
	if (r == 0)
		r = key_unlink(ring.key, key.key);
	if (r == 0)
		keys_sweep();
	return r;
}

long keyctl_chown(const u64 *a)
{
	u32 uid = (u32)a[1], gid = (u32)a[2];
	struct agent_creds creds;
	struct key_ref ref;
	long r = uid == NOBODY && gid == NOBODY ? 1 : key_find((s32)a[0], LOOK_CREATE | LOOK_PARTIAL, NEED_SETATTR, &ref);

	if (r)
		return r < 0 ? r : 0;
	agent_creds_get(&creds);
	if (!creds.cap_sys_admin && ((uid != NOBODY && uid != ref.key->uid) ||
				     (gid != NOBODY && gid != ref.key->gid && gid != creds.egid && !agent_in_group(gid))))
		return -EACCES;
	ref.key->uid = uid == NOBODY ? ref.key->uid : uid;
	ref.key->gid = gid == NOBODY ? ref.key->gid : gid;
	return 0;
}

long keyctl_setperm(const u64 *a)
{
	struct agent_creds creds;
	struct key_ref ref;
	long r = (u32)a[1] & ~PERM_ALL ? -EINVAL : key_find((s32)a[0], LOOK_CREATE | LOOK_PARTIAL, NEED_SETATTR, &ref);

	if (r < 0)
		return r;
	agent_creds_get(&creds);
	if (ref.key->uid != creds.euid && !creds.cap_sys_admin)
		return -EACCES;
	ref.key->perm = (u32)a[1];
	return 0;
}

long keyctl_set_timeout(const u64 *a)
{
	struct key_ref ref;
	long r = key_find((s32)a[0], LOOK_CREATE | LOOK_PARTIAL, NEED_SETATTR, &ref);

	if (r == 0)
		ref.key->expiry = (u32)a[1] ? agent_now() + (u32)a[1] : 0;
	return r;
}

long keyctl_get_id(const u64 *a)
{
	struct key_ref ref;
	long r = key_find((s32)a[0], (s32)a[1] ? LOOK_CREATE : 0, NEED_SEARCH, &ref);

	return r < 0 ? r : ref.key->serial;
}

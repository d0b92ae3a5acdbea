/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with a key, and how keys are found (keyrings(7), security/keys/{permission,process_keys,keyring}.c of Linux 6.18). A caller possesses what
 * it reaches from its thread, process and session keyrings by keyrings that it may search.
 */
#include "base/decimal.h"
#include "gaps/keyring/keyring_int.h"

#define DEPTH_MAX 6u

#define SPEC_THREAD (-1)
#define SPEC_PROCESS (-2)
#define SPEC_SESSION (-3)
#define SPEC_USER (-4)
#define SPEC_USER_SESSION (-5)
#define SPEC_GROUP (-6)

#define PERM_OWN 0x3f010000u     /* all to the possessor, view to the user */
#define PERM_SESSION 0x3f030000u /* read, too */
#define PERM_NAMED 0x3f130000u   /* and link */
#define PERM_USER 0x1f3f0000u

long key_valid(const struct keyring_key *key)
{
	if (key->flags & KEY_INVALIDATED)
		return -ENOKEY;
	if (key->flags & KEY_REVOKED)
		return -EKEYREVOKED;
	return key->expiry && agent_now() >= key->expiry ? -EKEYEXPIRED : 0;
}

long key_permits(const struct key_ref *ref, u32 need)
{
	const struct keyring_key *key = ref->key;
	struct agent_creds creds;
	u32 perm = key->perm;

	agent_creds_get(&creds);
	if (key->uid == creds.euid)
		perm = key->perm >> 16;
	else if (key->gid != ~0u && (perm & 0x3f00) && (key->gid == creds.egid || agent_in_group(key->gid)))
		perm = key->perm >> 8;
	if (ref->possessed)
		perm |= key->perm >> 24;
	return (perm & need) == need ? 0 : -EACCES;
}

bool key_lies_in(const struct keyring_key *inner, const struct keyring_key *outer, u32 depth)
{
	for (u32 i = 0; outer->type == KEY_KEYRING && depth < DEPTH_MAX && i < key_links(outer); i++) {
		const struct keyring_key *key = key_link_at(outer, i);

		if (key && (key == inner || key_lies_in(inner, key, depth + 1)))
			return true;
	}
	return false;
}

/* --- searching ------------------------------------------------------------------------------------------------------------------------ */

/* What is looked for: a key itself, or type and name; what is known so far. */
struct search {
	const struct keyring_key *wanted;
	u32 type;
	const char *name;
	bool skip_expired; /* they are as if they were not there */
	struct key_ref found;
	long error;
};

static bool fits(const struct search *s, const struct keyring_key *key)
{
	return s->wanted ? key == s->wanted : key->type == s->type && !strcmp(key->name, s->name);
}

/* Whether a key that fits is the answer; why not is kept. */
static bool take(struct search *s, const struct key_ref *ref)
{
	long r = s->wanted ? 0 : key_valid(ref->key);

	if (r == 0)
		r = key_permits(ref, NEED_SEARCH);
	if (r == 0)
		s->found = *ref;
	else if (r != -EKEYEXPIRED || !s->skip_expired)
		s->error = r;
	return r == 0;
}

static bool search_in(struct search *s, const struct key_ref *keyring, u32 depth)
{
	if (fits(s, keyring->key) && take(s, keyring))
		return true;
	if (keyring->key->type != KEY_KEYRING || depth > DEPTH_MAX || key_valid(keyring->key) < 0)
		return false;
	for (u32 i = 0; i < key_links(keyring->key); i++) {
		struct key_ref ref = { key_link_at(keyring->key, i), keyring->possessed };

		if (!ref.key)
			continue;
		if (ref.key->type == KEY_KEYRING ? key_permits(&ref, NEED_SEARCH) == 0 && search_in(s, &ref, depth + 1)
						 : fits(s, ref.key) && take(s, &ref))
			return true;
		if (s->wanted == ref.key && take(s, &ref))
			return true;
	}
	return false;
}

long key_search(const struct key_ref *from, u32 type, const char *name, struct key_ref *ret)
{
	struct search s = { .type = type, .name = name, .error = -EAGAIN };
	long r;

	if (from->key->type != KEY_KEYRING)
		return -ENOTDIR;
	r = key_permits(from, NEED_SEARCH);
	if (r < 0)
		return r;
	if (!search_in(&s, from, 0))
		return s.error;
	*ret = s.found;
	return 0;
}

static struct keyring_key *user_keyring(bool session);

static struct keyring_key *session_keyring(void)
{
	struct keyring_key *key = key_by_serial((s32)agent_keyring_word());

	return key ? key : user_keyring(true);
}

static long search_own(struct search *s)
{
	struct keyring_key *own[] = { key_by_serial(key_held(agent_caller_tid(), HOLDER_THREAD)),
				      key_by_serial(key_held(agent_caller_pid(), HOLDER_PROCESS)), session_keyring() };

	for (u32 i = 0; i < ARRAY_SIZE(own); i++) {
		struct key_ref ref = { own[i], true };

		if (own[i] && (s->wanted == own[i] || key_permits(&ref, NEED_SEARCH) == 0) && search_in(s, &ref, 0))
			return 0;
	}
	return s->error;
}

long key_search_own(u32 type, const char *name, struct key_ref *ret)
{
	struct search s = { .type = type, .name = name, .skip_expired = true, .error = -EAGAIN };
	long r = search_own(&s);

	*ret = s.found;
	return r;
}

/* --- keyrings of tasks and users ------------------------------------------------------------------------------------------------------ */

static struct keyring_key *user_keyring(bool session)
{
	struct keyring_key *key = keyring_area()->key;
	char name[32] = "_uid.";
	struct agent_creds creds;
	u64 n = 5;

	agent_creds_get(&creds);
	if (session) {
		memcpy(name, "_uid_ses.", 9);
		n = 9;
	}
	n += decimal_put(name + n, creds.ruid);
	name[n] = 0;
	for (u32 i = 0; i < KEYS_MAX; i++)
		if (key[i].used && (key[i].flags & KEY_OF_USER) && !strcmp(key[i].name, name))
			return &key[i];
	key = key_new(KEY_KEYRING, name, PERM_USER, KEY_OF_USER | KEY_IN_QUOTA);
	if (key)
		key->uid = creds.ruid, key->gid = ~0u;
	if (key && session) {
		struct keyring_key *inner = user_keyring(false);

		if (inner)
			(void)!key_link(key, inner);
	}
	return key;
}

/* A task's own keyring. NULL: it has none, and shall not get one, or there is no room (*ret_error). */
static struct keyring_key *own_keyring(s32 task, u32 kind, bool create, long *ret_error)
{
	struct keyring_key *key = key_by_serial(key_held(task, kind));

	*ret_error = -ENOKEY;
	if (key || !create)
		return key;
	key = key_new(KEY_KEYRING, kind == HOLDER_THREAD ? "_tid" : "_pid", PERM_OWN, KEY_IN_QUOTA);
	if (key)
		key_hold(task, kind, key->serial);
	*ret_error = -EDQUOT;
	return key;
}

static struct keyring_key *named(const char *name)
{
	struct keyring_key *key = keyring_area()->key;

	for (u32 i = 0; i < KEYS_MAX; i++) {
		struct key_ref ref = { &key[i], false };

		if (key[i].used && key[i].type == KEY_KEYRING && !(key[i].flags & KEY_REVOKED) && !strcmp(key[i].name, name) &&
		    key_permits(&ref, NEED_SEARCH) == 0 && key_valid(&key[i]) == 0)
			return &key[i];
	}
	return NULL;
}

long key_join(const char *name)
{
	struct keyring_key *key = name ? named(name) : NULL;

	if (!key)
		key = key_new(KEY_KEYRING, name ? name : "_ses", name ? PERM_NAMED : PERM_SESSION, KEY_IN_QUOTA);
	if (!key)
		return -EDQUOT;
	key_hold(agent_caller_tid(), HOLDER_SESSION, key->serial);
	agent_keyring_word_set((u32)key->serial);
	return key->serial;
}

static long find_special(s32 id, bool create, struct key_ref *ret)
{
	long error = -ENOKEY;

	ret->possessed = true;
	switch (id) {
	case SPEC_THREAD:
		/* a thread is born with one where its maker has one (copy_creds()) */
		create |= key_held(agent_caller_pid(), HOLDER_THREAD) != 0;
		ret->key = own_keyring(agent_caller_tid(), HOLDER_THREAD, create, &error);
		break;
	case SPEC_PROCESS:
		ret->key = own_keyring(agent_caller_pid(), HOLDER_PROCESS, create, &error);
		break;
	case SPEC_SESSION:
		if (create && !key_by_serial((s32)agent_keyring_word())) {
			error = key_join(NULL);
			if (error < 0)
				return error;
		}
		ret->key = session_keyring();
		break;
	case SPEC_USER:
	case SPEC_USER_SESSION:
		ret->key = user_keyring(id == SPEC_USER_SESSION);
		error = -EDQUOT;
		break;
	case SPEC_GROUP:
		return -EINVAL;
	default: /* of who instantiates a key: nobody does */
		return id < -8 ? -EINVAL : -ENOKEY;
	}
	return ret->key ? 0 : error;
}

long key_find(s32 id, u32 look, u32 need, struct key_ref *ret)
{
	long r = 0;

	if (id == 0)
		return -EINVAL;
	if (id < 0) {
		r = find_special(id, look & LOOK_CREATE, ret);
	} else {
		struct search s = { .wanted = key_by_serial(id), .error = -EAGAIN };

		if (!s.wanted)
			return -ENOKEY;
		*ret = (struct key_ref){ key_by_serial(id), search_own(&s) == 0 };
	}
	if (r == 0 && need)
		r = key_valid(ret->key);
	return r == 0 && need ? key_permits(ret, need) : r;
}

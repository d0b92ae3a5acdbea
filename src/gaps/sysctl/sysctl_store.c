/* SPDX-License-Identifier: Apache-2.0 */
/* The values written in this cell: an open hash table in the commons (sysctl.h). Readers take no lock; writers hold the area's. */
#include "gaps/sysctl/sysctl_int.h"

static u32 first_slot(const struct sysctl_key *key)
{
	u32 hash = key->row * 2654435761u;

	for (const char *at = key->instance; *at; at++)
		hash = (hash ^ (u8)*at) * 16777619u;
	return (hash >> 7) % SYSCTL_VALUES_MAX;
}

/* The key's slot, or the free one where it belongs; NULL when the table is full. */
static struct sysctl_value *slot_of(const struct sysctl_key *key)
{
	struct sysctl_area *area = sysctl_area();
	u32 at = first_slot(key);

	for (u32 i = 0; i < SYSCTL_VALUES_MAX; i++, at = (at + 1) % SYSCTL_VALUES_MAX) {
		struct sysctl_value *value = &area->values[at];
		u32 row = __atomic_load_n(&value->row, __ATOMIC_ACQUIRE);

		if (!row || (row == key->row + 1 && !strncmp(value->instance, key->instance, SYSCTL_INSTANCE_SIZE)))
			return value;
	}
	return NULL;
}

static u64 room_of(const struct sysctl_value *value)
{
	return value->wide ? SYSCTL_WIDE_SIZE : SYSCTL_TEXT_SIZE;
}

static char *text_of(struct sysctl_value *value, u32 seq)
{
	u32 wide = value->wide;

	return wide && wide <= SYSCTL_WIDE_MAX ? sysctl_area()->wide[wide - 1].text[seq & 1] : value->text[seq & 1];
}

long sysctl_store_get(const struct sysctl_key *key, char *text)
{
	struct sysctl_value *value = slot_of(key);
	u32 seq, length;

	if (!value || !__atomic_load_n(&value->row, __ATOMIC_ACQUIRE))
		return -ENOENT;
	do {
		seq = __atomic_load_n(&value->seq, __ATOMIC_ACQUIRE);
		if (!seq)
			return -ENOENT;
		if (!text)
			return 0;
		length = value->length[seq & 1];
		if (length >= room_of(value))
			length = 0; /* about to be overwritten: seq has changed */
		memcpy(text, text_of(value, seq), length);
		text[length] = 0;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&value->seq, __ATOMIC_RELAXED) != seq);
	return length;
}

/* Claims a free slot; a writer that dies before the last store leaves it free. */
static int claim(struct sysctl_value *value, const struct sysctl_key *key)
{
	struct sysctl_area *area = sysctl_area();

	value->seq = 0;
	value->wide = 0;
	memcpy(value->instance, key->instance, SYSCTL_INSTANCE_SIZE);
	if (sysctl_row_at(key->row)->kind == SYSCTL_BITMAP) {
		if (area->wide_used >= SYSCTL_WIDE_MAX)
			return -ENOMEM;
		value->wide = ++area->wide_used;
	}
	__atomic_store_n(&value->row, key->row + 1, __ATOMIC_RELEASE);
	return 0;
}

static void publish(struct sysctl_value *value, const char *text)
{
	u32 seq = value->seq + 1;
	u64 length = strlen(text);

	if (!seq)
		seq = 2; /* the copy that wrapping around leads to, but never 0 */
	if (length >= room_of(value))
		length = room_of(value) - 1;
	memcpy(text_of(value, seq), text, length);
	value->length[seq & 1] = (u32)length;
	__atomic_store_n(&value->seq, seq, __ATOMIC_RELEASE);
}

int sysctl_store_set(const struct sysctl_key *key, const char *text)
{
	struct sysctl_value *value = slot_of(key);
	int r;

	if (!value)
		return -ENOMEM;
	if (!value->row) {
		r = claim(value, key);
		if (r < 0)
			return r;
	}
	publish(value, text);
	return 0;
}

void sysctl_store_set_all(u32 row, const char *text)
{
	struct sysctl_area *area = sysctl_area();

	for (u32 i = 0; i < SYSCTL_VALUES_MAX; i++)
		if (area->values[i].row == row + 1)
			publish(&area->values[i], text);
}

// SPDX-License-Identifier: Apache-2.0
/* Hashes and proofs of a Merkle tree: see the header. */
#include <errno.h>
#include <sodium/crypto_hash_sha256.h>
#include <string.h>

#include "audit/merkle.h"

struct merkle_hash merkle_leaf(const void *entry, size_t size)
{
	crypto_hash_sha256_state state;
	struct merkle_hash hash;
	const u8 kind = 0;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &kind, 1);
	crypto_hash_sha256_update(&state, entry, size);
	crypto_hash_sha256_final(&state, hash.bytes);
	return hash;
}

struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
	u8 bytes[1 + 2 * MERKLE_HASH_BYTES] = { 1 };
	struct merkle_hash hash;

	memcpy(bytes + 1, left->bytes, MERKLE_HASH_BYTES);
	memcpy(bytes + 1 + MERKLE_HASH_BYTES, right->bytes, MERKLE_HASH_BYTES);
	crypto_hash_sha256(hash.bytes, bytes, sizeof(bytes));
	return hash;
}

bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->bytes, b->bytes, MERKLE_HASH_BYTES) == 0;
}

void merkle_edge_add(struct merkle_edge *edge, const struct merkle_hash *leaf)
{
	struct merkle_hash hash = *leaf;
	unsigned level = 0;

	for (; edge->size >> level & 1; level++)
		hash = merkle_node(&edge->level[level], &hash);
	edge->level[level] = hash;
	edge->size++;
}

struct merkle_hash merkle_perfect(const struct merkle_hash *hashes, u32 count)
{
	struct merkle_edge edge = { 0 };

	for (u32 i = 0; i < count; i++)
		merkle_edge_add(&edge, &hashes[i]);
	return edge.level[__builtin_ctz(count)];
}

struct merkle_hash merkle_edge_root(const struct merkle_edge *edge)
{
	struct merkle_hash root;
	bool first = true;

	if (!edge->size)
		crypto_hash_sha256(root.bytes, (const u8 *)"", 0);
	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		if (!(edge->size >> level & 1))
			continue;
		root = first ? edge->level[level] : merkle_node(&edge->level[level], &root);
		first = false;
	}
	return root;
}

int merkle_edge_load(const struct merkle_source *source, u64 size, struct merkle_edge *ret_edge)
{
	struct merkle_edge edge = { .size = size };

	for (unsigned level = 0; level < MERKLE_LEVELS - 1; level++) {
		int r = size >> level & 1 ? source->hash(source->data, level, (size >> level) - 1, &edge.level[level]) : 0;

		if (r < 0)
			return r;
	}
	*ret_edge = edge;
	return 0;
}

/* The tree of the leaves [start, start + size), whose perfect subtrees the source has: start is a multiple of the power of two not below size. */
static int range(const struct merkle_source *source, u64 start, u64 size, struct merkle_hash *ret_hash)
{
	bool first = true;
	struct merkle_hash hash = { { 0 } };

	/* from the right: the smallest perfect subtree is the last one */
	for (unsigned level = 0; level < MERKLE_LEVELS - 1 && size >> level; level++) {
		struct merkle_hash left;
		int r;

		if (!(size >> level & 1))
			continue;
		r = source->hash(source->data, level, ((start + size) >> level) - 1, &left);
		if (r < 0)
			return r;
		hash = first ? left : merkle_node(&left, &hash);
		first = false;
		size -= UINT64_C(1) << level;
	}
	*ret_hash = hash;
	return 0;
}

/* The largest power of two below size, which is 2 or more. */
static u64 split(u64 size)
{
	return UINT64_C(1) << (63 - __builtin_clzll(size - 1));
}

static int put(const struct merkle_source *source, u64 start, u64 size, struct merkle_proof *proof)
{
	return proof->count < MERKLE_PROOF_MAX ? range(source, start, size, &proof->hashes[proof->count++]) : -EOVERFLOW;
}

static void reverse(struct merkle_proof *proof)
{
	for (u32 i = 0; i < proof->count / 2; i++) {
		struct merkle_hash kept = proof->hashes[i];

		proof->hashes[i] = proof->hashes[proof->count - 1 - i];
		proof->hashes[proof->count - 1 - i] = kept;
	}
}

int merkle_inclusion(const struct merkle_source *source, u64 index, u64 size, struct merkle_proof *ret_proof)
{
	u64 start = 0;
	int r = 0;

	ret_proof->count = 0;
	while (size > 1 && r == 0) { /* from the root down, RFC 6962 wants it the other way round */
		u64 left = split(size);

		if (index - start < left) {
			r = put(source, start + left, size - left, ret_proof);
			size = left;
		} else {
			r = put(source, start, left, ret_proof);
			start += left;
			size -= left;
		}
	}
	reverse(ret_proof);
	return r;
}

int merkle_consistency(const struct merkle_source *source, u64 old, u64 size, struct merkle_proof *ret_proof)
{
	bool whole = true; /* the subtree begins at leaf 0: the verifier knows its hash once it is the old tree */
	u64 start = 0;
	int r = 0;

	ret_proof->count = 0;
	while (old - start != size && r == 0) {
		u64 left = split(size);

		if (old - start <= left) {
			r = put(source, start + left, size - left, ret_proof);
			size = left;
		} else {
			r = put(source, start, left, ret_proof);
			start += left;
			size -= left;
			whole = false;
		}
	}
	if (!whole && r == 0)
		r = put(source, start, size, ret_proof);
	reverse(ret_proof);
	return r;
}

bool merkle_inclusion_holds(const struct merkle_hash *leaf, u64 index, u64 size, const struct merkle_proof *proof,
			    const struct merkle_hash *root)
{
	struct merkle_hash hash = *leaf;
	u64 node = index, last = size - 1;

	if (index >= size)
		return false;
	for (u32 i = 0; i < proof->count; i++) {
		if (!last)
			return false;
		if (node & 1 || node == last) {
			hash = merkle_node(&proof->hashes[i], &hash);
			for (; !(node & 1) && node; node >>= 1)
				last >>= 1;
		} else {
			hash = merkle_node(&hash, &proof->hashes[i]);
		}
		node >>= 1;
		last >>= 1;
	}
	return !last && merkle_equal(&hash, root);
}

bool merkle_consistency_holds(u64 old, const struct merkle_hash *old_root, u64 size, const struct merkle_hash *root,
			      const struct merkle_proof *proof)
{
	u64 node = old - 1, last = size - 1;
	struct merkle_hash first, second;
	u32 i = 0;

	if (!old || old > size)
		return false;
	if (old == size)
		return !proof->count && merkle_equal(old_root, root);
	for (; node & 1; node >>= 1)
		last >>= 1;
	if (node && !proof->count)
		return false;
	first = second = node ? proof->hashes[i++] : *old_root;
	for (; i < proof->count; i++) {
		if (!last)
			return false;
		if (node & 1 || node == last) {
			first = merkle_node(&proof->hashes[i], &first);
			second = merkle_node(&proof->hashes[i], &second);
			for (; !(node & 1) && node; node >>= 1)
				last >>= 1;
		} else {
			second = merkle_node(&second, &proof->hashes[i]);
		}
		node >>= 1;
		last >>= 1;
	}
	return !last && merkle_equal(&first, old_root) && merkle_equal(&second, root);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree of RFC 6962, section 2.1 (RFC 9162 has the algorithms that verify): SHA-256, a leaf's hash begins with byte 0, a node's with byte 1.
 *
 * A perfect subtree is named by its level (0 = leaves) and its index within the level: it covers the leaves from index << level on, 1 << level of them.
 */
#ifndef LICHEN_AUDIT_MERKLE_H
#define LICHEN_AUDIT_MERKLE_H

#include "base/types.h"

#define MERKLE_HASH_BYTES 32u
#define MERKLE_LEVELS 64u
#define MERKLE_SIZE_MAX (UINT64_C(1) << 62) /* leaves; more are malformed */
#define MERKLE_PROOF_MAX 128u               /* hashes of any proof */

struct merkle_hash {
	u8 bytes[MERKLE_HASH_BYTES];
};

/* The perfect subtrees that a tree of `size` leaves consists of: level[i] is one of them where bit i of size is set. */
struct merkle_edge {
	u64 size;
	struct merkle_hash level[MERKLE_LEVELS];
};

/* Where hashes of perfect subtrees come from. `hash` returns 0 or negative errno. */
struct merkle_source {
	int (*hash)(void *data, unsigned level, u64 index, struct merkle_hash *ret_hash);
	void *data;
};

struct merkle_proof {
	u32 count;
	struct merkle_hash hashes[MERKLE_PROOF_MAX]; /* in the order of RFC 6962 */
};

/* RFC 6962, section 2.1: the hash of an entry (SHA-256 of a zero byte and it), and of two subtrees (of a one byte and both). */
struct merkle_hash merkle_leaf(const void *entry, size_t size);
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);
bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b);
/* The hash of a perfect subtree out of `count` hashes of one level, a power of two of them. */
struct merkle_hash merkle_perfect(const struct merkle_hash *hashes, u32 count);

/* Adds the next leaf. */
void merkle_edge_add(struct merkle_edge *edge, const struct merkle_hash *leaf);
/* The root; of no leaves, that of the empty string. */
struct merkle_hash merkle_edge_root(const struct merkle_edge *edge);
/* The edge of a tree of that size. 0 or negative errno of the source. */
int merkle_edge_load(const struct merkle_source *source, u64 size, struct merkle_edge *ret_edge) MUST_CHECK;

/* The path of a leaf (index < size), and the proof that the tree of `old` leaves is the beginning of that of `size` (0 < old <= size). 0 or negative errno. */
int merkle_inclusion(const struct merkle_source *source, u64 index, u64 size, struct merkle_proof *ret_proof) MUST_CHECK;
int merkle_consistency(const struct merkle_source *source, u64 old, u64 size, struct merkle_proof *ret_proof) MUST_CHECK;

/* Whether a proof holds: RFC 9162, sections 2.1.3.2 and 2.1.4.2. */
bool merkle_inclusion_holds(const struct merkle_hash *leaf, u64 index, u64 size, const struct merkle_proof *proof,
			    const struct merkle_hash *root);
bool merkle_consistency_holds(u64 old, const struct merkle_hash *old_root, u64 size, const struct merkle_hash *root,
			      const struct merkle_proof *proof);

#endif

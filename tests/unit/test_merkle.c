// SPDX-License-Identifier: Apache-2.0
/* The tree of RFC 6962 and its proofs against published vectors and against the definition; names of tiles; notes against Go's. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/tile.h"

#define LEAVES 70u

/* Of certificate-transparency's own tests: eight leaves, and the root of the first n of them. */
static const char *const leaves[8] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
};
static const char *const roots[9] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static size_t unhex(const char *text, u8 *bytes)
{
	size_t size = strlen(text) / 2;

	for (size_t i = 0; i < size; i++)
		assert_int_equal(sscanf(text + 2 * i, "%2hhx", &bytes[i]), 1);
	return size;
}

static struct merkle_hash hash_of(const char *hex)
{
	struct merkle_hash hash;

	assert_int_equal(unhex(hex, hash.bytes), sizeof(hash.bytes));
	return hash;
}

static void assert_hash(const struct merkle_hash *got, const char *hex)
{
	struct merkle_hash want = hash_of(hex);

	assert_memory_equal(got->bytes, want.bytes, sizeof(want.bytes));
}

/* A source that knows all leaves. */
struct known {
	struct merkle_hash leaves[LEAVES];
};

static int known_hash(void *data, unsigned level, u64 index, struct merkle_hash *ret_hash)
{
	const struct known *known = data;

	assert_true((index + 1) << level <= LEAVES);
	*ret_hash = merkle_perfect(&known->leaves[index << level], 1U << level);
	return 0;
}

static void know_vectors(struct known *known)
{
	memset(known, 0, sizeof(*known));
	for (unsigned i = 0; i < 8; i++) {
		u8 bytes[16];

		known->leaves[i] = merkle_leaf(bytes, unhex(leaves[i], bytes));
	}
}

static void test_roots(void **state)
{
	struct merkle_edge edge = { 0 }, loaded;
	struct known known;
	struct merkle_source source = { known_hash, &known };

	(void)state;
	know_vectors(&known);
	for (unsigned i = 0; i <= 8; i++) {
		struct merkle_hash root = merkle_edge_root(&edge);

		assert_hash(&root, roots[i]);
		assert_int_equal(merkle_edge_load(&source, i, &loaded), 0);
		root = merkle_edge_root(&loaded);
		assert_hash(&root, roots[i]);
		if (i < 8)
			merkle_edge_add(&edge, &known.leaves[i]);
	}
}

static void test_proof_vectors(void **state)
{
	struct known known;
	struct merkle_source source = { known_hash, &known };
	struct merkle_proof proof;

	(void)state;
	know_vectors(&known);
	assert_int_equal(merkle_inclusion(&source, 0, 8, &proof), 0);
	assert_int_equal(proof.count, 3);
	assert_hash(&proof.hashes[0], "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
	assert_hash(&proof.hashes[1], "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
	assert_hash(&proof.hashes[2], "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
	assert_int_equal(merkle_consistency(&source, 6, 8, &proof), 0);
	assert_int_equal(proof.count, 3);
	assert_hash(&proof.hashes[0], "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
	assert_hash(&proof.hashes[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
	assert_hash(&proof.hashes[2], "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

/* MTH of RFC 6962 by its definition. */
static struct merkle_hash defined(const struct merkle_hash *hashes, u64 count)
{
	u64 half = 1;
	struct merkle_hash left, right;

	if (count == 1)
		return *hashes;
	while (2 * half < count)
		half *= 2;
	left = defined(hashes, half);
	right = defined(hashes + half, count - half);
	return merkle_node(&left, &right);
}

/* A proof that was changed anywhere, or is of another place, proves nothing. */
static void assert_nothing_else(struct merkle_proof *proof, u64 index, u64 size, const struct known *known,
				const struct merkle_hash *root)
{
	assert_false(merkle_inclusion_holds(&known->leaves[(index + 1) % LEAVES], index, size, proof, root));
	for (u32 i = 0; i < proof->count; i++) {
		proof->hashes[i].bytes[i % 32] ^= 1;
		assert_false(merkle_inclusion_holds(&known->leaves[index], index, size, proof, root));
		proof->hashes[i].bytes[i % 32] ^= 1;
	}
	if (proof->count) {
		proof->count--;
		assert_false(merkle_inclusion_holds(&known->leaves[index], index, size, proof, root));
		proof->count++;
	}
	proof->hashes[proof->count++] = *root;
	assert_false(merkle_inclusion_holds(&known->leaves[index], index, size, proof, root));
	proof->count--;
}

static void test_every_proof(void **state)
{
	struct known known;
	struct merkle_source source = { known_hash, &known };
	struct merkle_proof proof;

	(void)state;
	for (u32 i = 0; i < LEAVES; i++)
		known.leaves[i] = merkle_leaf(&i, sizeof(i));
	for (u64 size = 1; size <= LEAVES; size++) {
		struct merkle_hash root = defined(known.leaves, size);

		for (u64 index = 0; index < size; index++) {
			assert_int_equal(merkle_inclusion(&source, index, size, &proof), 0);
			assert_true(merkle_inclusion_holds(&known.leaves[index], index, size, &proof, &root));
			assert_nothing_else(&proof, index, size, &known, &root);
		}
		for (u64 old = 1; old <= size; old++) {
			struct merkle_hash before = defined(known.leaves, old), other = before;

			assert_int_equal(merkle_consistency(&source, old, size, &proof), 0);
			assert_true(merkle_consistency_holds(old, &before, size, &root, &proof));
			other.bytes[7] ^= 4;
			assert_false(merkle_consistency_holds(old, &other, size, &root, &proof));
			assert_false(merkle_consistency_holds(old, &before, size, &other, &proof));
			for (u32 i = 0; i < proof.count; i++) {
				proof.hashes[i].bytes[0] ^= 1;
				assert_false(merkle_consistency_holds(old, &before, size, &root, &proof));
				proof.hashes[i].bytes[0] ^= 1;
			}
		}
	}
}

static void test_tile_names(void **state)
{
	static const struct {
		int level;
		u64 index;
		u32 width;
		const char *path;
	} rows[] = {
		{ 0, 0, 256, "tile/0/000" },
		{ 0, 0, 1, "tile/0/000.p/1" },
		{ 1, 999, 255, "tile/1/999.p/255" },
		{ 2, 1000, 256, "tile/2/x001/000" },
		{ TILE_ENTRIES, 1234067, 256, "tile/entries/x001/x234/067" }, /* of the specification */
		{ TILE_ENTRIES, 12345, 8, "tile/entries/x012/345.p/8" },
	};
	char path[TILE_PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(tile_path(path, rows[i].level, rows[i].index, rows[i].width), rows[i].path);
	/* the specification's example: 70,000 entries */
	assert_int_equal(tile_width(0, 272, 70000), 256);
	assert_int_equal(tile_width(0, 273, 70000), 112);
	assert_int_equal(tile_width(TILE_ENTRIES, 273, 70000), 112);
	assert_int_equal(tile_width(0, 274, 70000), 0);
	assert_int_equal(tile_width(1, 0, 70000), 256);
	assert_int_equal(tile_width(1, 1, 70000), 17);
	assert_int_equal(tile_width(2, 0, 70000), 1);
	assert_int_equal(tile_width(3, 0, 70000), 0);
	assert_int_equal(tile_width(1, 0, 256), 1);
}

/* Keys and note of the documentation of golang.org/x/mod/sumdb/note. */
#define GO_SIGNER "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define GO_VERIFIER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_TEXT "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
#define GO_NOTE                                                                                                                            \
	GO_TEXT "\n\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=" \
		"\n"

static void test_go_note(void **state)
{
	struct note_key signer, verifier;
	char note[NOTE_MAX], text[NOTE_KEY_TEXT];
	size_t size;

	(void)state;
	assert_int_equal(note_key_parse(GO_SIGNER "\n", &signer), 0);
	assert_int_equal(note_key_parse(GO_VERIFIER, &verifier), 0);
	assert_true(signer.signs && !verifier.signs);
	assert_string_equal(note_key_verifier(&signer, text), GO_VERIFIER);
	assert_string_equal(note_key_signer(&signer, text), GO_SIGNER);
	assert_int_equal(note_sign(&signer, GO_TEXT, note), (int)strlen(GO_NOTE));
	assert_string_equal(note, GO_NOTE);
	assert_int_equal(note_verify(GO_NOTE, strlen(GO_NOTE), &verifier, &size, NULL), 0);
	assert_int_equal(size, strlen(GO_TEXT));
	assert_int_equal(note_sign(&verifier, GO_TEXT, note), -EINVAL);
	assert_int_equal(note_sign(&signer, "no newline", note), -EINVAL);
	assert_int_equal(note_sign(&signer, "a\tcontrol character\n", note), -EINVAL);
}

/* Any bit that is turned in a note makes it another's, wrong, or no note. */
static void test_changed_note(void **state)
{
	struct note_key verifier;
	char note[sizeof(GO_NOTE)];
	size_t size;

	(void)state;
	assert_int_equal(note_key_parse(GO_VERIFIER, &verifier), 0);
	for (size_t i = 0; i < strlen(GO_NOTE); i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(note, GO_NOTE, sizeof(note));
			note[i] = (char)(note[i] ^ 1 << bit);
			assert_true(note_verify(note, strlen(GO_NOTE), &verifier, &size, NULL) < 0);
		}
	for (size_t i = 0; i < strlen(GO_NOTE); i++)
		assert_true(note_verify(GO_NOTE, i, &verifier, &size, NULL) < 0);
}

static void test_keys(void **state)
{
	static const char *const bad[] = {
		"",
		"name",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq\xc9LDE4izWy10TW", /* taken for a slash by libsodium */
		(GO_VERIFIER " x"),
		("PRIVATE+KEY+" GO_VERIFIER),
	};
	struct note_key key, again;
	char text[NOTE_KEY_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(note_key_parse(bad[i], &key), -EINVAL);
	assert_false(note_name_valid("a\xe2\x80\x83z") || note_name_valid("a b") || note_name_valid("a+b") ||
		     note_name_valid("\xff"));
	assert_true(note_name_valid("\xc3\xa9t\xc3\xa9.example/log"));
	assert_int_equal(note_key_new("example.org/log", &key), 0);
	assert_int_equal(note_key_parse(note_key_signer(&key, text), &again), 0);
	assert_memory_equal(key.signer, again.signer, sizeof(key.signer));
}

static void test_checkpoints(void **state)
{
	static const char *const bad[] = {
		"",
		"log\n5\n",
		"log\n05\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"log\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"log\n99999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
		"log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
		"\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx\n",
	};
	static const char good[] =
		"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nextension\n";
	struct checkpoint found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(checkpoint_parse(bad[i], strlen(bad[i]), &found), -EINVAL);
	assert_int_equal(checkpoint_parse(good, strlen(good), &found), 0);
	assert_string_equal(found.origin, "example.com/behind-the-sofa");
	assert_int_equal(found.size, 20852163);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),      cmocka_unit_test(test_proof_vectors), cmocka_unit_test(test_every_proof),
		cmocka_unit_test(test_tile_names), cmocka_unit_test(test_go_note),       cmocka_unit_test(test_changed_note),
		cmocka_unit_test(test_keys),       cmocka_unit_test(test_checkpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Verifies a log: the tree is built anew from the entries, and each hash that it gives is compared with the one that lies there. So what was changed is found at
 * the lowest place where entries and hashes disagree: an entry, or the entries below a hash.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_verify.h"

struct verifier {
	struct audit_view *view;
	struct audit_found *found;
	struct audit_error *error;
	struct merkle_edge edge;
	struct merkle_hash tiles[TILE_LEVELS][TILE_WIDTH]; /* the last of each level, as the entries make it */
};

/* --- runs ------------------------------------------------------------------------------------------------------------------------------ */

static int run_begins(struct audit_found *found, const char *id, u64 seq)
{
	struct audit_open_run *more;

	if (!(found->open_count & (found->open_count + 1))) { /* 0, 1, 3, 7 … are full */
		more = reallocarray(found->open, 2 * found->open_count + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		found->open = more;
	}
	more = &found->open[found->open_count++];
	*more = (struct audit_open_run){ .seq = seq };
	(void)snprintf(more->id, sizeof(more->id), "%s", id);
	return 0;
}

static void run_ends(struct audit_found *found, const char *id)
{
	found->ended++;
	for (size_t i = 0; i < found->open_count; i++)
		if (strcmp(found->open[i].id, id) == 0) {
			memmove(&found->open[i], &found->open[i + 1], (found->open_count - i - 1) * sizeof(*found->open));
			found->open_count--;
			return;
		}
}

int audit_found_add(struct audit_found *found, u64 index, const u8 *text, size_t size)
{
	json_t *event = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *seq = json_object_get(event, "seq");
	const char *type = json_string_value(json_object_get(event, "type")),
		   *run = json_string_value(json_object_get(event, "run"));
	int r = 0;

	if (!json_is_integer(seq) || !type)
		r = -EBADMSG;
	else if ((u64)json_integer_value(seq) != index)
		r = -ERANGE;
	else if ((strcmp(type, "run.start") == 0 || strcmp(type, "flow.start") == 0) && run)
		r = run_begins(found, run, index);
	else if ((strcmp(type, "run.end") == 0 || strcmp(type, "flow.end") == 0) && run)
		run_ends(found, run);
	else if (strcmp(type, "log.recovered") == 0)
		found->recovered++;
	json_decref(event);
	return r;
}

static void audit_found_finish(struct audit_found *found, const struct audit_view *view)
{
	for (size_t i = 0; i < found->open_count; i++)
		found->open[i].running = audit_view_runs(view, found->open[i].id);
}

/* --- hashes ---------------------------------------------------------------------------------------------------------------------------- */

static int fail_entry(struct verifier *v, u64 entry, const char *what)
{
	(void)audit_fail(v->error, -EBADMSG, "entry %" PRIu64 " %s", entry, what);
	v->error->entry = entry;
	return -EBADMSG;
}

/* A hash of a level of tiles, and the tiles above it when it fills one. */
static int compare(struct verifier *v, unsigned level, u64 index, struct merkle_hash hash)
{
	for (;; level++, index /= TILE_WIDTH) {
		struct tile_reader *reader = &v->view->tree->tiles;
		const struct merkle_hash *there;
		int width = tile_read(reader, level, index / TILE_WIDTH, &there);
		u64 first = index << (8 * level);

		if (width < 0 && width != -ENOENT && width != -EBADMSG)
			return audit_fail_errno(v->error, width, "cannot read '%s'", reader->failed);
		if (width < 0) {
			(void)audit_fail(v->error, -EBADMSG, "the file '%s' is %s", reader->failed,
					 width == -ENOENT ? "missing" : "malformed");
			v->error->entry = first;
			return -EBADMSG;
		}
		if (!merkle_equal(&there[index % TILE_WIDTH], &hash)) {
			if (level == 0)
				return fail_entry(v, first, "is not what was signed");
			(void)audit_fail(v->error, -EBADMSG, "one of the entries %" PRIu64 " to %" PRIu64 " is not what was signed",
					 first, first + (UINT64_C(1) << (8 * level)) - 1);
			v->error->entry = first;
			return -EBADMSG;
		}
		v->tiles[level][index % TILE_WIDTH] = hash;
		if (index % TILE_WIDTH + 1 < TILE_WIDTH)
			return 0;
		hash = merkle_perfect(v->tiles[level], TILE_WIDTH);
	}
}

static int each(void *data, u64 index, const u8 *entry, size_t size)
{
	struct verifier *v = data;
	struct merkle_hash leaf = merkle_leaf(entry, size);
	int r = index < v->view->tree->published ? compare(v, 0, index, leaf) : 0;

	if (r < 0)
		return r;
	merkle_edge_add(&v->edge, &leaf);
	r = audit_found_add(v->found, index, entry, size);
	if (r == -ENOMEM)
		return audit_fail_errno(v->error, r, "cannot read entry %" PRIu64, index);
	if (r == -ERANGE)
		return fail_entry(v, index, "has the sequence number of another");
	return r < 0 ? fail_entry(v, index, "is no event") : 0;
}

int audit_verify(struct audit_view *view, struct audit_found *found, struct audit_error *error)
{
	struct verifier *v = calloc(1, sizeof(*v));
	struct merkle_hash root = merkle_edge_root(&view->tree->edge), built;
	int r;

	*found = (struct audit_found){ 0 };
	if (!v)
		return audit_fail_errno(error, -ENOMEM, "cannot verify the log");
	v->view = view;
	v->found = found;
	v->error = error;
	r = audit_tree_each(view->tree, 0, each, v, error);
	built = merkle_edge_root(&v->edge);
	free(v);
	if (r == 0 && !merkle_equal(&root, &built))
		r = audit_fail(error, -EBADMSG, "the entries do not have the root that was signed");
	if (r == 0 && view->tree->damaged) {
		r = audit_fail(
			error, -EBADMSG,
			"the journal's last record is damaged, by a power failure or by somebody: it began with entry %" PRIu64,
			view->tree->edge.size);
		error->entry = view->tree->edge.size;
	}
	audit_found_finish(found, view);
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/* Reads and proves: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "audit/audit_view.h"
#include "base/cleanup.h"

static int read_verifier(struct audit_view *view, const char *verifier, struct audit_error *error)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r = verifier ? 0 : audit_file_read(view->dir, AUDIT_KEY_PUBLIC, NOTE_KEY_TEXT, &text, &size);

	if (r == -ENOENT && faccessat(view->dir, AUDIT_CHECKPOINT, F_OK, 0) < 0)
		return audit_fail(error, -ENOENT, "there is no log");
	if (r < 0)
		return audit_fail_errno(error, r, "cannot read the file 'key.pub'");
	if (note_key_parse(verifier ? verifier : text, &view->key) < 0 || view->key.type != NOTE_ED25519)
		return audit_fail(error, verifier ? -EINVAL : -EBADMSG, verifier ? "'%.100s' is no key that verifies" : "%s",
				  verifier ? verifier : "the file 'key.pub' is no key that verifies");
	note_key_done(&view->key);
	return 0;
}

int audit_view_open(const char *path, const char *verifier, bool each_note, struct audit_view *view, struct audit_error *error)
{
	int r;

	*view = (struct audit_view){ .dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (view->dir < 0)
		return audit_fail_errno(error, -errno, "cannot open it");
	view->tree = calloc(1, sizeof(*view->tree));
	if (!view->tree)
		return audit_fail_errno(error, -ENOMEM, "cannot read the log");
	r = read_verifier(view, verifier, error);
	if (r < 0)
		return r;
	r = audit_tree_lock(view->dir, false);
	if (r < 0)
		return audit_fail_errno(error, r, "cannot lock the log");
	r = audit_tree_load(view->tree, view->dir, &view->key, each_note, error);
	(void)flock(view->dir, LOCK_UN);
	return r;
}

void audit_view_close(struct audit_view *view)
{
	if (view->tree)
		audit_tree_done(view->tree);
	free(view->tree);
	close_fd(&view->dir);
	*view = (struct audit_view){ .dir = FD_NONE };
}

bool audit_view_runs(const struct audit_view *view, const char *run)
{
	char path[64];
	CLEANUP_FD int fd = FD_NONE;

	if (strchr(run, '/') || snprintf(path, sizeof(path), AUDIT_RUNS "/%s", run) >= (int)sizeof(path))
		return false;
	fd = openat(view->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int fail_hash(struct audit_view *view, struct audit_error *error, int code)
{
	if (code != -ENOENT && code != -EBADMSG)
		return audit_fail_errno(error, code, "cannot read '%s'", view->tree->tiles.failed);
	return audit_fail(error, -EBADMSG, "the file '%s' is %s", view->tree->tiles.failed,
			  code == -ENOENT ? "missing" : "malformed");
}

int audit_view_continues(struct audit_view *view, const char *note, size_t size, struct checkpoint *ret_checkpoint,
			 struct audit_error *error)
{
	struct merkle_source source = audit_tree_source(view->tree);
	u64 now = view->tree->edge.size;
	struct merkle_hash root = merkle_edge_root(&view->tree->edge);
	struct merkle_edge none = { 0 };
	struct merkle_hash empty = merkle_edge_root(&none);
	struct merkle_proof proof = { 0 };
	struct checkpoint kept;
	int r = checkpoint_open(note, size, &view->key, &kept);

	if (r == -EINVAL)
		return audit_fail(error, r, "it is no checkpoint");
	if (r == -ENOKEY)
		return audit_fail(error, r, "it is not signed by %.100s", view->key.name);
	if (r < 0)
		return audit_fail(error, r, "its signature is wrong");
	*ret_checkpoint = kept;
	if (kept.size > now)
		return audit_fail(error, -EBADMSG, "it has %" PRIu64 " entries, and the log only %" PRIu64 ": some were taken away",
				  kept.size, now);
	r = kept.size ? merkle_consistency(&source, kept.size, now, &proof) : 0;
	if (r < 0)
		return fail_hash(view, error, r);
	if (kept.size ? !merkle_consistency_holds(kept.size, &kept.root, now, &root, &proof) : !merkle_equal(&kept.root, &empty)) {
		(void)audit_fail(error, -EBADMSG, "the log's first %" PRIu64 " entries are not those that it was made of",
				 kept.size);
		return -EBADMSG;
	}
	return 0;
}

struct wanted {
	u8 *entry;
	size_t size;
};

static int take(void *data, u64 index, const u8 *entry, size_t size)
{
	struct wanted *wanted = data;

	(void)index;
	wanted->entry = malloc(size + 1);
	if (!wanted->entry)
		return -ENOMEM;
	memcpy(wanted->entry, entry, size);
	wanted->size = size;
	return 1;
}

int audit_view_prove(struct audit_view *view, u64 index, char **ret_text, struct audit_error *error)
{
	struct merkle_source source = audit_tree_source(view->tree);
	u64 size = view->tree->edge.size;
	struct merkle_hash root = merkle_edge_root(&view->tree->edge), leaf;
	struct wanted wanted = { 0 };
	struct merkle_proof proof;
	char *text;
	int r;

	if (index >= size)
		return audit_fail(error, -ENOENT, "there is no entry %" PRIu64 "; it has %" PRIu64, index, size);
	r = audit_tree_each(view->tree, index, take, &wanted, error);
	if (r < 0)
		return r == -ENOMEM ? audit_fail_errno(error, r, "cannot read entry %" PRIu64, index) : r;
	leaf = merkle_leaf(wanted.entry, wanted.size);
	r = merkle_inclusion(&source, index, size, &proof);
	if (r < 0) {
		free(wanted.entry);
		return fail_hash(view, error, r);
	}
	if (!merkle_inclusion_holds(&leaf, index, size, &proof, &root)) {
		free(wanted.entry);
		(void)audit_fail(error, -EBADMSG, "entry %" PRIu64 " is not what was signed", index);
		error->entry = index;
		return -EBADMSG;
	}
	text = checkpoint_proof_text(wanted.entry, wanted.size, index, &proof, view->tree->note);
	free(wanted.entry);
	if (!text)
		return audit_fail_errno(error, -ENOMEM, "cannot write the proof");
	*ret_text = text;
	return 0;
}

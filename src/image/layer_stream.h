/* SPDX-License-Identifier: Apache-2.0 */
/* A tar archive out of a blob: gzip and zstd are undone, what comes out is hashed and counted (it gives the diff id). */
#ifndef LICHEN_IMAGE_LAYER_STREAM_H
#define LICHEN_IMAGE_LAYER_STREAM_H

#include <archive.h>
#include <locale.h>

#include "image/unpack.h"

struct layer_stream {
	struct archive *raw; /* undoes the compression */
	struct archive *tar; /* for archive_read_next_header() and so on */
	struct digest_state digest;
	u64 bytes, size, told; /* out of it so far; of the blob; when progress was last told */
	const struct unpack_progress *progress;
	bool ended;
	locale_t utf8, before; /* of the thread, while the stream is open */
};

/* Begins to read. The descriptor stays the caller's. Returns 0, or -EBADMSG or -ENOMEM with ret_error; then nothing is to be closed. */
int layer_stream_open(struct layer_stream *stream, int blob, u64 size, const struct unpack_progress *progress,
		      struct image_error *ret_error) MUST_CHECK;

/* Reads what lies behind the archive's end, checks that it is not too much, and gives the digest. Returns 0 or -EBADMSG with ret_error. */
int layer_stream_finish(struct layer_stream *stream, struct digest *ret_diff_id, struct image_error *ret_error) MUST_CHECK;

/* Says what libarchive found wrong. Returns -EBADMSG, or the negative errno of reading. */
int layer_stream_wrong(struct layer_stream *stream, struct image_error *ret_error) MUST_CHECK;

void layer_stream_close(struct layer_stream *stream);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Two archives of libarchive, one behind the other: the first undoes compression only, the second reads the first's output as tar. */
#include "image/layer_stream.h"

#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#define BLOCK ((size_t)256 * 1024)
#define TELL_EVERY ((u64)4 * 1024 * 1024)

static void tell(struct layer_stream *stream)
{
	if (!stream->progress || !stream->progress->tell || stream->bytes - stream->told < TELL_EVERY)
		return;
	stream->told = stream->bytes;
	s64 done = archive_filter_bytes(stream->raw, -1);
	stream->progress->tell(stream->progress->arg, done > 0 ? (u64)done : 0, stream->size);
}

static la_ssize_t read_more(struct archive *tar, void *arg, const void **ret_data)
{
	struct layer_stream *stream = arg;
	size_t size = 0;
	la_int64_t offset;
	if (stream->ended)
		return 0;
	int result = archive_read_data_block(stream->raw, ret_data, &size, &offset);
	if (result == ARCHIVE_EOF) {
		stream->ended = true;
		return 0;
	}
	if (result != ARCHIVE_OK) {
		const char *text = archive_error_string(stream->raw);
		archive_set_error(tar, archive_errno(stream->raw), "%s", text ? text : "damaged compression");
		return ARCHIVE_FATAL;
	}
	digest_add(&stream->digest, *ret_data, size);
	stream->bytes += size;
	tell(stream);
	return (la_ssize_t)size;
}

int layer_stream_wrong(struct layer_stream *stream, struct image_error *ret_error)
{
	struct archive *wrong = stream->tar && archive_error_string(stream->tar) ? stream->tar : stream->raw;
	const char *text = archive_error_string(wrong);
	int error = archive_errno(wrong);
	if (error == EIO || error == ENOMEM)
		return image_fail_errno(ret_error, -error, "cannot read the layer");
	return image_fail(ret_error, -EBADMSG, "the layer is no sound tar archive: %s", text ? text : "unknown damage");
}

/* Makes the first archive ready; an empty blob is one without entries. */
static int open_raw(struct layer_stream *stream, int blob)
{
	struct archive_entry *entry;
	if (archive_read_support_filter_gzip(stream->raw) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(stream->raw) != ARCHIVE_OK ||
	    archive_read_support_format_raw(stream->raw) != ARCHIVE_OK ||
	    archive_read_support_format_empty(stream->raw) != ARCHIVE_OK ||
	    archive_read_open_fd(stream->raw, blob, BLOCK) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	int result = archive_read_next_header(stream->raw, &entry);
	stream->ended = result == ARCHIVE_EOF;
	return stream->ended ? ARCHIVE_OK : result;
}

int layer_stream_open(struct layer_stream *stream, int blob, u64 size, const struct unpack_progress *progress,
		      struct image_error *ret_error)
{
	*stream = (struct layer_stream){ .raw = archive_read_new(), .tar = archive_read_new(), .size = size, .progress = progress };
	digest_start(&stream->digest);
	/* libarchive turns names into the locale's bytes: let them be UTF-8 (glibc brings this locale along), whatever the caller's is. */
	stream->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (stream->utf8)
		stream->before = uselocale(stream->utf8);
	if (!stream->raw || !stream->tar) {
		layer_stream_close(stream);
		return image_fail(ret_error, -ENOMEM, "out of memory");
	}
	if (open_raw(stream, blob) != ARCHIVE_OK || archive_read_support_format_tar(stream->tar) != ARCHIVE_OK ||
	    archive_read_support_format_empty(stream->tar) != ARCHIVE_OK ||
	    archive_read_open(stream->tar, stream, NULL, read_more, NULL) != ARCHIVE_OK) {
		int error = layer_stream_wrong(stream, ret_error);
		layer_stream_close(stream);
		return error;
	}
	return 0;
}

int layer_stream_finish(struct layer_stream *stream, struct digest *ret_diff_id, struct image_error *ret_error)
{
	u64 end = stream->bytes;
	const void *data;
	la_ssize_t n;
	while ((n = read_more(stream->tar, stream, &data)) != 0) {
		if (n < 0)
			return layer_stream_wrong(stream, ret_error);
		if (stream->bytes - end > UNPACK_TRAILER_MAX)
			return image_fail(ret_error, -EBADMSG, "more than %llu bytes follow the layer's end",
					  (unsigned long long)UNPACK_TRAILER_MAX);
	}
	*ret_diff_id = digest_end(&stream->digest);
	return 0;
}

void layer_stream_close(struct layer_stream *stream)
{
	if (stream->tar)
		archive_read_free(stream->tar);
	if (stream->raw)
		archive_read_free(stream->raw);
	stream->tar = stream->raw = NULL;
	if (stream->utf8) {
		uselocale(stream->before);
		freelocale(stream->utf8);
	}
	stream->utf8 = (locale_t)0;
}

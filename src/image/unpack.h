/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers become a root file system. Theory of operation:
 *
 * A layer is a tar archive, plain, gzip or zstd (seen from its first bytes), of strangers. libarchive takes it apart; here each entry
 * is applied below a root descriptor, over what lower layers left (image-spec layer.md):
 *
 *     - A path is made clean first; one with ".." is refused. Its parent is opened without following any symbolic link. A parent that is
 *       missing is made (0755, root). One that is no directory is replaced by one when a lower layer made it, as overlayfs would show
 *       it; when this layer made it the archive is refused: it would have us write through its own link.
 *     - A hard link's target is found in the same way, and must be there and no directory. A symbolic link is written, never read.
 *     - .wh.NAME removes what lower layers have there, .wh..wh..opq all that they have in its directory; what this layer brings stays,
 *       in whatever order it comes. Other names with .wh..wh. are marks of aufs and mean nothing; nothing lies below a whiteout.
 *     - Sizes are held against free space before they are written; entries, paths and trailing bytes have limits.
 *
 * Owners, modes, device nodes and attributes are the real ones where the host lets us. Where it does not (any user but root; root in
 * a user namespace or without CAP_MKNOD), files belong to us, have at least u+rw (directories u+rwx), no set-id bits, a device is an empty
 * file, and the truth is in the attribute user.containers.override_stat, "UID:GID:0MODE" and for a device ":block-MAJ-MIN" or
 * ":char-MAJ-MIN" behind it, as containers/storage and fuse-overlayfs write it. A file without it that belongs to us is root's. Attributes
 * security.* and trusted.* that the host refuses are kept as user.containers.override_NAME (fuse-overlayfs 1.14). Only regular files and
 * directories can have such attributes: the owner of a symbolic link or a FIFO goes into one of its directory (override_stat.h). All is lost on a file
 * system without user attributes. That is counted, not an error: programs seldom ask who owns a link, and an image that is all root's loses nothing.
 */
#ifndef LICHEN_IMAGE_UNPACK_H
#define LICHEN_IMAGE_UNPACK_H

#include "image/digest.h"
#include "image/image_error.h"

#define UNPACK_ENTRIES_MAX (8u * 1024 * 1024)           /* in one layer */
#define UNPACK_FILE_MAX (UINT64_C(1) << 42)             /* bytes of one file, holes included */
#define UNPACK_TRAILER_MAX (UINT64_C(16) * 1024 * 1024) /* bytes behind the archive's end */

/* What has been done, and what could not be kept: counts. */
struct unpack_report {
	u64 entries, bytes;
	u64 lost_owners;  /* belong to root instead */
	u64 lost_modes;   /* have other permission bits */
	u64 lost_devices; /* are not there */
	u64 lost_xattrs;
};

/* Called now and then while a layer is read. */
struct unpack_progress {
	void (*tell)(void *arg, u64 done, u64 total); /* bytes of the blob; NULL = nobody asks */
	void *arg;
};

/*
 * Applies a layer (`blob`: open for reading at its start, `size` bytes) to the directory `root`. *ret_diff_id is the digest of the archive
 * without compression. The report is added to. Returns 0; -EBADMSG with ret_error when the layer is malformed; or negative errno
 * with ret_error. After a failure the root is worth nothing.
 */
int unpack_layer(int blob, u64 size, int root, const struct unpack_progress *progress, struct unpack_report *report,
		 struct digest *ret_diff_id, struct image_error *ret_error) MUST_CHECK;

/* How an archive is applied that is no layer. */
enum unpack_flag {
	UNPACK_PLAIN =
		1u
		<< 0, /* .wh. in a name means nothing; what is no directory does not take the place of one, nor the other way round; the
				 * directory `root` itself stays as it is */
	UNPACK_OURS = 1u << 1, /* everything belongs to us, and has no set-id bits */
	UNPACK_HOST = 1u << 2, /* files of this machine: no attributes but user.*, none that stand for something; no devices */
};

/*
 * The same for any archive, plain, gzip or zstd, from a descriptor that need not be a file, up to its end. `only` is the one name in `root` that it may
 * bring (with what lies below it), NULL = any.
 */
int unpack_archive(int from, int root, u32 flags, const char *only, struct unpack_report *report,
		   struct image_error *ret_error) MUST_CHECK;

#endif

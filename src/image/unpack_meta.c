// SPDX-License-Identifier: Apache-2.0
/* Owners, modes, attributes and times of unpacked files; unpack.h says what becomes of what the host refuses. */
#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/override_stat.h"
#include "image/unpack_int.h"

#define SET_ID_BITS 07000u /* set-user-id, set-group-id, sticky */

int unpack_meta_read(struct archive_entry *entry, struct unpack_meta *ret_meta)
{
	s64 uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX) /* the last is chown's "leave it" */
		return -EBADMSG;
	*ret_meta = (struct unpack_meta){
		.uid = (uid_t)uid,
		.gid = (gid_t)gid,
		.mode = archive_entry_perm(entry) & 07777,
		.mtime = { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) },
	};
	return 0;
}

/* Whether a refused change of owner, mode or attribute is the host's policy, which is lived with, and no failure. */
static bool is_policy(int error)
{
	return error == -EPERM || error == -EINVAL || error == -EACCES || error == -ENOSYS || error == -EOPNOTSUPP ||
	       error == -ENODATA;
}

/* Files of other users than root cannot be given away, and need not be tried. */
static int try_owner(int fd, const struct unpack_meta *meta)
{
	if (geteuid() != 0)
		return meta->uid || meta->gid ? -EPERM : 0;
	return fchown(fd, meta->uid, meta->gid) ? -errno : 0;
}

/* Writes the true owner, mode and type beside the file. */
static int write_override(int fd, const struct unpack_meta *meta, const struct override_stat *device)
{
	struct override_stat is = { .uid = meta->uid, .gid = meta->gid, .mode = meta->mode };
	char text[OVERRIDE_STAT_MAX];
	if (device) {
		is.type = device->type;
		is.major = device->major;
		is.minor = device->minor;
	}
	size_t length = override_stat_text(&is, text);
	return fsetxattr(fd, OVERRIDE_STAT, text, length, 0) ? -errno : 0;
}

/*
 * Owner and mode. Real ones are tried first; what is then not true goes into the attribute, and where there are none, into the mode
 * as far as that can be.
 */
static int give_stat(struct unpack *unpack, int fd, const struct unpack_meta *meta, bool is_dir, const struct override_stat *device,
		     const char *name)
{
	mode_t most = is_dir ? 0700 : 0600, usable = (meta->mode & 0777) | most, disk = meta->mode;
	int owner = try_owner(fd, meta);
	if (owner && !is_policy(owner))
		return unpack_refused(unpack, owner, "change the owner of", name);
	bool real = geteuid() == 0 && !owner && !device;
	if (!real)
		disk = device ? 0600 : usable;
	int error = fchmod(fd, disk) ? -errno : 0;
	if (error && is_policy(error) && (meta->mode & SET_ID_BITS)) {
		disk = usable;
		error = fchmod(fd, disk) ? -errno : 0;
	}
	if (error)
		return unpack_refused(unpack, error, "change the mode of", name);
	if (!owner && disk == meta->mode && !device) {
		(void)fremovexattr(fd, OVERRIDE_STAT); /* of a directory that a lower layer made */
		return 0;
	}
	error = write_override(fd, meta, device);
	if (!error)
		return 0;
	if (!is_policy(error))
		return unpack_refused(unpack, error, "write an attribute of", name);
	if (device)
		return -ENODATA; /* a device cannot be kept: the caller's to count */
	unpack->report->lost_owners += owner != 0;
	if (fchmod(fd, meta->mode | most) || (meta->mode | most) != meta->mode)
		unpack->report->lost_modes++;
	return 0;
}

/* Attributes that are lichen's, containers/storage's or an overlay's own are never taken from an image; labels of this machine's LSM neither. */
static bool is_foreign(const char *name)
{
	static const char *const prefixes[] = { "user.containers.",    "user.lichen.",     "user.overlay.", "trusted.overlay.",
						"user.fuseoverlayfs.", "security.selinux", "security.ima",  "security.evm",
						"security.apparmor",   "security.SMACK64", "system." };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static int give_xattrs(struct unpack *unpack, int fd, struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t size;
	char renamed[256];
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (!name || is_foreign(name))
			continue;
		bool privileged = strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0;
		if (privileged && unpack->flags & UNPACK_HOST) {
			unpack->report->lost_xattrs++;
			continue;
		}
		if (fsetxattr(fd, name, value, size, 0) == 0)
			continue;
		int error = -errno;
		if (is_policy(error) && privileged) {
			int length = snprintf(renamed, sizeof(renamed), OVERRIDE_XATTR_PREFIX "%s", name);
			error = (size_t)length >= sizeof(renamed) || fsetxattr(fd, renamed, value, size, 0) ? -EPERM : 0;
		}
		if (error == -ENOSPC || error == -EDQUOT || error == -EIO)
			return unpack_refused(unpack, error, "write an attribute of", archive_entry_pathname(entry));
		unpack->report->lost_xattrs += error != 0;
	}
	if (archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_POSIX1E)
		unpack->report->lost_xattrs++;
	return 0;
}

/* The same where nothing stands for anything: what cannot be given is lost. */
static int give_plain(struct unpack *unpack, int fd, const struct unpack_meta *meta, bool is_dir, const char *name)
{
	mode_t mode = unpack->flags & UNPACK_OURS ? meta->mode & 0777 : meta->mode;
	if (!(unpack->flags & UNPACK_OURS) && try_owner(fd, meta)) {
		unpack->report->lost_owners++;
		mode &= 0777;
	}
	if (fchmod(fd, is_dir ? mode | 0700 : mode)) /* a directory's own follows at the end */
		return unpack_refused(unpack, -errno, "change the mode of", name);
	return 0;
}

int unpack_meta_give(struct unpack *unpack, int fd, struct archive_entry *entry, const struct unpack_meta *meta, bool is_dir,
		     const struct override_stat *device)
{
	const char *path = archive_entry_pathname(entry);
	int error = unpack->flags & UNPACK_HOST ? give_plain(unpack, fd, meta, is_dir, path)
						: give_stat(unpack, fd, meta, is_dir, device, path);
	if (!error)
		error = give_xattrs(unpack, fd, entry); /* after the owner: chown drops capabilities */
	if (error || is_dir)
		return error;
	const struct timespec times[2] = { meta->mtime, meta->mtime };
	(void)futimens(fd, times); /* a time that the file system cannot hold */
	return 0;
}

int unpack_meta_give_name(struct unpack *unpack, int dir, const char *name, struct archive_entry *entry,
			  const struct unpack_meta *meta)
{
	bool is_link = archive_entry_filetype(entry) == AE_IFLNK, ours = unpack->flags & UNPACK_OURS;
	int error = 0;
	if (ours)
		;
	else if (geteuid() == 0 && fchownat(dir, name, meta->uid, meta->gid, AT_SYMLINK_NOFOLLOW))
		error = -errno;
	else if (geteuid() != 0 && (meta->uid || meta->gid))
		error = -EPERM;
	if (error && !is_policy(error))
		return unpack_refused(unpack, error, "change the owner of", archive_entry_pathname(entry));
	const struct override_stat is = { .uid = meta->uid, .gid = meta->gid, .mode = is_link ? 0777 : meta->mode };
	bool keep = error && (meta->uid || meta->gid);
	error = override_owner_write(dir, name, keep ? &is : NULL); /* or what a lower layer had of that name is forgotten */
	unpack->report->lost_owners += keep && error;
	/* The name was made by us a moment ago, in a directory that nobody else can reach: it is no link that fchmodat could follow. */
	if (!is_link && fchmodat(dir, name, ours ? meta->mode & 0777 : meta->mode, 0))
		unpack->report->lost_modes++;
	unpack->report->lost_xattrs += (u64)archive_entry_xattr_count(entry);
	const struct timespec times[2] = { meta->mtime, meta->mtime };
	(void)utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

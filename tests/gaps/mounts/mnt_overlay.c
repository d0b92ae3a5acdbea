// SPDX-License-Identifier: Apache-2.0
/* mount -t overlay. */
#include "mounts.h"

static void overlay(const char *options, unsigned long flags)
{
	int r = mount("overlay", "/m/h", "overlay", flags, options);

	say("\"%s\": %s", options, r ? errno_name(errno) : "ok");
}

int main(void)
{
	make_places();
	MUST(mount("t", "/m/g", "tmpfs", 0, NULL));
	MUST(mkdir("/m/g/upper", 0755));
	MUST(mkdir("/m/g/work", 0755));
	overlay("", 0);
	overlay("lowerdir=/m/a", 0);
	overlay("lowerdir=/m/none,upperdir=/m/g/upper,workdir=/m/g/work", 0);
	overlay("lowerdir=/m/a,upperdir=/m/g/upper", 0);
	overlay("lowerdir=/m/a,upperdir=/m/none,workdir=/m/g/work", 0);
	overlay("lowerdir=/m/a,upperdir=/m/b,workdir=/m/g/work", 0);
	overlay("lowerdir=/m/file,upperdir=/m/g/upper,workdir=/m/g/work", 0);
	overlay("lowerdir=/m/a,nonsense", 0);
	overlay("lowerdir=/m/a:/m/b", 0);
	list("/m/h");
	try_create("/m/h/x");
	OK(umount("/m/h"));
	overlay("lowerdir=/m/a:/m/b,upperdir=/m/g/upper,workdir=/m/g/work", MS_NODEV);
	list("/m/h");
	show_file("/m/h/in_a");
	write_file("/m/h/in_a", "changed", 0644);
	write_file("/m/h/new", "new", 0644);
	OK(unlink("/m/h/in_b"));
	OK(rename("/m/h/new", "/m/h/sub/new"));
	list("/m/h");
	list("/m/h/sub");
	show_file("/m/a/in_a");
	show_file("/m/h/in_a");
	list("/m/a/sub");
	list("/m/g/upper/sub");
	show_flags("/m/h");
	OK(mount("/m/h/sub", "/m/f", NULL, MS_BIND, NULL));
	list("/m/f");
	try_create("/m/f/more");
	OK(umount("/m/f"));
	OK(umount("/m/h"));
	list("/m/h");
	overlay("lowerdir=/m/a:/m/b,upperdir=/m/g/upper,workdir=/m/g/work", MS_RDONLY);
	list("/m/h");
	show_file("/m/h/sub/new");
	try_create("/m/h/x");
	OK(umount("/m/h"));
	OK(umount("/m/g"));
	return 0;
}

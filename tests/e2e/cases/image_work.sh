#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image of nearly 1 GB, started fifty times, of which nothing is copied; and what people do in one: builds with gcc and make, npm ci, git, packages of a
# desktop program, sudo, rpm, a bare Debian made by mmdebstrap, storms of names over a lower layer. $WORKS: which of it, where not all.
. "$(dirname -- "$0")/../lib.sh"
[ -e "$BUILT/work.tar" ] || fail "no $BUILT/work.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "this is about lichen's own images"
LICHEN_STATE=$WORK/state
export LICHEN_STATE
lichen=${RUN%% *}
"$lichen" image import "$BUILT/work.tar" work >import.out 2>import.err || fail "import: $(tail -n 3 import.err)"

# Starts. What they leave is not even a thousandth of the image.
size_of() { du -sk "$LICHEN_STATE" | cut -f1; }
before=$(size_of) n=$(size 50 10) started=0
[ "$before" -gt 600000 ] || fail "an image of $before KiB"
while [ "$started" -lt "$n" ]; do
	"$lichen" run work -- true || fail "start $started"
	started=$((started + 1))
done
"$lichen" run -d --name kept work -- sh -c 'echo x >/made; exec sleep 1000' >/dev/null || fail 'run -d'
until_true 30 "$lichen" exec kept cat /made || fail "$("$lichen" logs kept 2>&1)"
after=$(size_of)
"$lichen" rm -f kept >/dev/null || fail 'rm'
[ $((after - before)) -lt 1000 ] || fail "$n starts and a cell took $((after - before)) KiB"
say "$n starts of an image of $((before / 1024)) MiB; with a cell it takes $((after - before)) KiB more"

cat >work.sh <<'X'
set -eu
export HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
cd /root
failed() {
	tail -n 5 /log
	exit 1
}
for work; do
	case $work in
	make) # a C project from its Debian source
		tar -xf /srv/busybox.defconfig.tar
		(cd busybox && make -j2 HOSTCFLAGS=-O0 CFLAGS=-O0 console-tools/ && ar t console-tools/lib.a | wc -l) >/log 2>&1 || failed
		echo "make: $(tail -n 1 /log) objects"
		;;
	npm)
		cp -r /srv/project /srv/cache .
		cd project
		npm ci --offline --cache /root/cache --no-audit --no-fund --no-update-notifier >/log 2>&1 || failed
		echo "npm: $(find node_modules -type f | wc -l) files, $(node -e 'console.log(typeof require("express"), require("eslint").ESLint.version)')"
		cd ..
		;;
	git)
		git clone -q /srv/big.git big
		git -C big checkout -q HEAD~1
		git -C big checkout -q main
		git -C big gc -q
		git -C big fsck >/log 2>&1 || failed
		echo "git: $(git -C big ls-files | wc -l) files, $(git -C big status --short | wc -l) changed"
		rm -rf big
		;;
	desktop) # a program and what it depends on, by dpkg
		had=$(dpkg -l | grep -c '^ii')
		dpkg -i /srv/desktop/*.deb >/log 2>&1 || failed
		echo "desktop: $(($(dpkg -l | grep -c '^ii') - had)) packages, $(xterm -version | cut -d'(' -f1)"
		apt-get -qy --autoremove purge xterm >/log 2>&1 || failed
		echo "purged: $(dpkg --audit | wc -l) broken, $(ls -d /etc/X11/app-defaults/XTerm 2>/dev/null | wc -l) left"
		;;
	users)
		useradd -m alice
		echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
		echo "users: $(su alice -c 'sudo id -un; sudo -u daemon id -un; id -un; touch /etc/x 2>/dev/null || echo denied' 2>&1 | xargs)"
		echo alice:secret | chpasswd
		usermod -aG games alice
		echo "users: $(echo secret | su daemon -s /bin/sh -c 'su alice -c "id -nG"' 2>/dev/null), $(stat -c '%a %U:%G' /etc/shadow)"
		userdel -r alice 2>/dev/null
		;;
	rpm)
		printf '%s\n' 'Name: little' 'Version: 1' 'Release: 1' 'Summary: Test' 'License: none' 'BuildArch: noarch' '%description' Test \
			'%install' 'mkdir -p %{buildroot}/opt/little/sub' 'touch %{buildroot}/opt/little/file %{buildroot}/opt/little/suid' \
			'ln -s file %{buildroot}/opt/little/link' '%files' '%dir /opt/little' '%attr(2750,games,daemon) %dir /opt/little/sub' \
			'%attr(640,www-data,mail) /opt/little/file' '%attr(4755,root,games) /opt/little/suid' /opt/little/link >little.spec
		rpmbuild -bb --quiet little.spec >/log 2>&1 || failed
		rpm -i --nodeps rpmbuild/RPMS/noarch/*.rpm 2>/log || failed
		echo "rpm: $(rpm -V --nodeps little 2>/dev/null && find /opt/little | sort | xargs stat -c '%a %U:%G' | xargs)"
		rpm -e --nodeps little 2>/log || failed
		echo "rpm: $(find /opt/little 2>/dev/null | wc -l) left"
		;;
	bootstrap) # a bare Debian, made by the cell's root
		mmdebstrap --quiet --mode=root --variant="$VARIANT" bookworm deb 'deb [trusted=yes] copy:/srv/mirror bookworm main' >/log 2>&1 || failed
		echo "bootstrap: $(chroot deb sh -c '. /etc/os-release; echo $ID $VERSION_ID'), $(stat -c '%a' deb/bin/su deb/tmp | xargs)"
		rm -rf deb
		;;
	storm) # over what a lower layer has, and in new directories; several at once
		before=$(find /usr/lib/python3.11 | sort | sha256sum)
		find /usr/lib/python3.11 -maxdepth 1 -name '*.py' -print0 >names
		for worker in 0 1 2 3; do
			perl -e '
				my ($worker, $files) = @ARGV;
				my $n = 0;
				for (split "\0", join "", <STDIN>) {
					next if $n++ % 4 != $worker;
					rename $_, "$_.x" and rename "$_.x", $_ or die "$_: $!";
				}
				mkdir "s$worker"; mkdir "s$worker/a";
				for (1 .. $files) { open F, ">s$worker/a/f$_"; rename "s$worker/a/f$_", "s$worker/a/g$_" or die $! }
				rename "s$worker/a", "s$worker/b" or die $!;
				for (1 .. $files) { rename "s$worker/b/g$_", "s$worker/h$_" or die $! }
				rmdir "s$worker/b" or die $!' $worker "$FILES" <names &
		done
		wait
		echo "storm: $(find s0 s1 s2 s3 -type f | wc -l) files, $([ "$before" = "$(find /usr/lib/python3.11 | sort | sha256sum)" ] && echo nothing lost)"
		mv /usr/lib/python3.11 /usr/lib/moved
		mv /usr/lib/moved /usr/lib/python3.11
		echo "storm: $(python3 -c 'import asyncio, json; print("python works")')"
		rm -rf s0 s1 s2 s3 /usr/include /usr/share/perl
		echo "storm: $(find /root/s? /usr/include /usr/share/perl 2>/dev/null | wc -l) left"
		;;
	esac
done
X
in_image() { "$lichen" run work -- sh -c "$1"; }
expected() {
	case $1 in
	make) echo "make: 15 objects" ;;
	npm) echo "npm: $(in_image 'cat /srv/project/files') files, function 8.57.0" ;;
	git) echo "git: $(in_image 'git --git-dir=/srv/big.git ls-tree -r --name-only main | wc -l') files, 0 changed" ;;
	desktop) printf '%s\n' "desktop: $(in_image 'ls /srv/desktop | wc -l') packages, XTerm" "purged: 0 broken, 0 left" ;;
	users) printf '%s\n' "users: root daemon alice denied" "users: alice games, 640 root:shadow" ;;
	rpm) printf '%s\n' "rpm: 755 root:root 640 www-data:mail 777 root:root 2750 games:daemon 4755 root:games" "rpm: 0 left" ;;
	bootstrap) echo "bootstrap: debian 12, 4755 1777" ;;
	storm) printf '%s\n' "storm: $((4 * FILES)) files, nothing lost" "storm: python works" "storm: 0 left" ;;
	esac
}
case ${ENVIRONMENT-restricted} in
restricted) works='make npm git desktop users rpm bootstrap storm' ;; # all of it where everything is lichen's
gvisor | gvisor24) works='rpm storm' ;;                            # the rest takes minutes there
*) works='npm rpm storm' ;;                                        # what differs from a kernel's own root is seen in restricted
esac
works=${WORKS-$works}
FILES=$(size 1000 50)
if ! "$lichen" run work -- test -e /srv/project/package-lock.json; then
	say 'no npm ci: its registry could not be reached when this was prepared'
	works=$(echo "$works" | sed 's/npm//')
fi
# shellcheck disable=SC2086 # several words
"$lichen" run -e FILES="$FILES" -e VARIANT="${VARIANT-essential}" -v "$WORK/work.sh:/work.sh:ro" work -- sh /work.sh $works >work.out 2>&1 ||
	fail "$(tail -n 8 work.out)"
for work in $works; do expected "$work"; done >expected.out
cmp -s expected.out work.out || fail "$(diff expected.out work.out)"
say "did $works"
passed

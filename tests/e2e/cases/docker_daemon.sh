# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by the cases of `lichen up docker`: a dockerd with a folder of its own for its data, and an image "base" to run.
[ "${UNDER-}" != native ] || skip "this is what natively fails"
for program in /usr/bin/docker dockerd containerd runc busybox; do need "$program"; done
lichen=${RUN%% *}
export LICHEN_STATE="$WORK/state" HOME="$WORK"
unset DOCKER_HOST DOCKER_CONTEXT
# What the machine has in /var/lib/docker may be part of a lower layer here, where directories cannot be renamed.
mkdir -p config/lichen/units/docker.service.d
export XDG_CONFIG_HOME="$WORK/config"
cat >config/lichen/units/docker.service.d/test.conf <<END
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --data-root $WORK/data ${DOCKERD_OPTIONS-}
END

cleanup() { "$lichen" down docker >"$WORK/down.log" 2>&1; }

# docker ARG…, which must end well
d() {
	/usr/bin/docker "$@" 2>"$WORK/err" || fail "docker $*: status $?: $(cat "$WORK/err"); $("$lichen" logs docker 2>&1 | tail -5)"
}

docker_up() {
	"$lichen" up --timeout 120 docker >"$WORK/up.log" 2>&1 || fail "lichen up docker: status $?: $(tail -20 "$WORK/up.log")"
}

docker_down() {
	"$lichen" down docker >"$WORK/down.log" 2>&1 || fail "lichen down docker: status $?: $(cat "$WORK/down.log")"
}

# base_image NAME…: a root directory of busybox, with these names for it besides the usual ones
base_image() {
	mkdir -p tree/bin tree/etc tree/tmp tree/proc tree/sys tree/dev
	cp "$(command -v busybox)" tree/bin/busybox
	for name in sh cat echo grep id ls mkdir ps rm touch "$@"; do ln -sf busybox "tree/bin/$name"; done
	chmod 1777 tree/tmp
	echo root:x:0:0:root:/:/bin/sh >tree/etc/passwd
	tar -C tree -c . | d import - base >/dev/null
}

# what_is_there: names of files in /run and the like, mounts, and processes but this script's own
what_is_there() {
	find /run /dev/shm /tmp/lichen-* /var/tmp/lichen-* -path "$WORK" -prune -o -print 2>/dev/null | LC_ALL=C sort
	cut -d ' ' -f 5- /proc/self/mountinfo
	for stat in /proc/[0-9]*/stat; do
		sed 's/^\([0-9]*\) (\(.*\)) \(.\) .*/\1 \2 \3/; / [ZX]$/d' "$stat" 2>/dev/null
	done | grep -v " \(${0##*/}\|sh\|sed\|grep\|find\|sort\|cut\|cat\) .$"
}
note_what_is_there() { what_is_there >"$WORK/before"; }
nothing_left() {
	what_is_there >"$WORK/after"
	! grep -vxFf "$WORK/before" "$WORK/after" >"$WORK/left"
}

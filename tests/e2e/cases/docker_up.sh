#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Docker where Docker cannot run: lichen up docker starts Debian's dockerd and containerd, which run containers by Debian's runc, all unmodified. What their
# own client asks of them: run, exec, logs, pause, stop, volumes, limits, build, commit; nothing of it is left after lichen down. On the machine itself
# (host, tiny) as nobody, whose docker is not the machine's.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "this is what natively fails"
for program in /usr/bin/docker dockerd containerd runc busybox; do need "$program"; done
case ${ENVIRONMENT-host} in
host | tiny)
	if [ "$(id -u)" = 0 ]; then
		chown 65534:65534 "$WORK"
		setpriv --reuid=65534 --regid=65534 --clear-groups env -u WORK TMPDIR="$WORK" sh "$CASES/docker_up.sh"
		exit $?
	fi
	;;
esac
lichen=${RUN%% *}
export LICHEN_STATE="$WORK/state" HOME="$WORK" XDG_RUNTIME_DIR="$WORK/r"
unset DOCKER_HOST DOCKER_CONTEXT XDG_DATA_HOME
export XDG_CONFIG_HOME="$WORK/config"
if [ "$(id -u)" = 0 ]; then
	# What the machine has in /var/lib/docker may be part of a lower layer here, where directories cannot be renamed.
	mkdir -p config/lichen/units/docker.service.d
	cat >config/lichen/units/docker.service.d/test.conf <<END
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --data-root $WORK/data
END
fi

cleanup() { "$lichen" down docker >"$WORK/down.log" 2>&1; }

# docker ARG…, which must end well
d() {
	/usr/bin/docker "$@" 2>"$WORK/err" || fail "docker $*: status $?: $(cat "$WORK/err"); $("$lichen" logs docker 2>&1 | tail -5)"
}

"$lichen" up --timeout 120 docker >"$WORK/up.log" 2>&1 || fail "lichen up docker: status $?: $(tail -20 "$WORK/up.log")"
contains status "$("$lichen" status docker)" 'active (running)'
contains 'its proof' "$(cat up.log)" 'has run a container'
if [ "$(id -u)" != 0 ]; then
	DOCKER_HOST=$(sed -n 's/.*DOCKER_HOST=//p' up.log)
	export DOCKER_HOST
	same 'its data' "$WORK/.local/share/docker" "$(d info --format '{{.DockerRootDir}}')"
fi
same 'nothing of the proof is left' '' "$(d ps -aq; d images -aq)"
same "storage driver" overlay2 "$(d info --format '{{.Driver}}')"

# --- an image -------------------------------------------------------------------------------------------------------------------
mkdir -p tree/bin tree/etc tree/tmp tree/proc tree/sys tree/dev
cp "$(command -v busybox)" tree/bin/busybox
for name in sh cat echo grep id ls mkdir chmod ps sleep touch true; do ln -s busybox "tree/bin/$name"; done
echo root:x:0:0:root:/:/bin/sh >tree/etc/passwd
tar -C tree -c . | d import - base >/dev/null

# --- run ------------------------------------------------------------------------------------------------------------------------
same "pid 1" 1 "$(d run --rm --network=none base sh -c 'echo $$')"
contains "the host's network" "$(d run --rm --network=host base cat /proc/net/dev)" lo:
/usr/bin/docker run --rm --network=none base sh -c 'exit 7'
same "exit status" 7 $?
contains "another user" "$(d run --rm --network=none -u 5 base id)" 'uid=5 '
contains "no capabilities" "$(d run --rm --network=none --cap-drop ALL base grep CapEff /proc/self/status)" 0000000000000000
same "a volume" kept "$(d run --rm --network=none -v kept:/v base sh -c 'echo kept >/v/file'; d run --rm --network=none -v kept:/v:ro base cat /v/file)"
contains "a read-only root" "$(d run --rm --network=none --read-only --tmpfs /tmp base sh -c 'touch /tmp/a && touch /a; true' 2>&1; cat err)" 'Read-only file system'
contains limits "$(d run --rm --network=none --memory 256m --pids-limit 20 base cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max)" '268435456
20'
cat >profile.json <<END
{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
	{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
	{"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
END
same "a profile that refuses what lichen answers" 'mkdir: can'"'"'t create directory '"'/tmp/a'"': Operation not permitted
chmod: /bin: No space left on device
2' "$(d run --rm --network=none --security-opt seccomp=profile.json base sh -c 'exec 2>&1; mkdir /tmp/a; chmod 755 /bin; grep "^Seccomp:" /proc/self/status' | sed 's/^Seccomp:.//')"
contains "without a profile" "$(d run --rm --network=none --security-opt seccomp=unconfined base sh -c 'mkdir /tmp/a && ls /tmp')" a

# --- the other runtime ------------------------------------------------------------------------------------------------------------
d run -d --name other --runtime=lichen --network=none base sleep 1000 >/dev/null
same "exec by lichen oci" 'in it' "$(d exec other echo 'in it')"
d kill other >/dev/null
d rm other >/dev/null

# --- in the background ------------------------------------------------------------------------------------------------------------
d run -d --name one --network=none base sh -c 'trap "echo bye; exit 3" TERM; echo begun; while :; do sleep 0.1; done' >/dev/null
same exec "in it" "$(d exec one echo 'in it')"
contains top "$(d top one)" 'echo begun'
same 'the default runtime' runc "$(d inspect -f '{{.HostConfig.Runtime}}' one)"
d pause one >/dev/null
same state paused "$(d inspect -f '{{.State.Status}}' one)"
d unpause one >/dev/null
d update --memory 192m --memory-swap 384m one >/dev/null
same 'an updated limit' 201326592 "$(d exec one cat /sys/fs/cgroup/memory.max)"
contains stats "$(d stats --no-stream --format '{{.MemUsage}}' one)" '/ 192MiB'
contains events "$(d events --since 1h --until 0s --filter container=one --format '{{.Action}}' | xargs)" 'start exec_create: echo in it exec_start: echo in it'
d stop -t 60 one >/dev/null
same "status after stop" 3 "$(d inspect -f '{{.State.ExitCode}}' one)"
same logs 'begun
bye' "$(d logs one)"
d commit one two >/dev/null
d rm one >/dev/null

# --- build ----------------------------------------------------------------------------------------------------------------------
mkdir context
printf 'FROM base\nRUN echo built >/built\nCMD cat /built\n' >context/Dockerfile
DOCKER_BUILDKIT=0 d build -q --network=none -t three context >/dev/null
same "what was built" built "$(d run --rm --network=none three)"
DOCKER_BUILDKIT=1 d build --network=none -t four context >/dev/null
same "what BuildKit built" built "$(d run --rm --network=none four)"

# --- and nothing is left ------------------------------------------------------------------------------------------------------------
same containers "" "$(d ps -aq)"
"$lichen" down docker >"$WORK/down.log" 2>&1 || fail "lichen down docker: status $?: $(cat "$WORK/down.log")"
{ [ -z "${DOCKER_HOST-}" ] && [ ! -S /run/docker.sock ]; } || ! /usr/bin/docker version >"$WORK/out" 2>&1 || fail "docker answers after lichen down"
passed

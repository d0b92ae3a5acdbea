#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A cage in a tree of the command's own, an image's or --rootfs: the policy's paths are the tree's, and the machine's files are not there. Where the kernel
# does not make the tree there is no cage.
. "$(dirname -- "$0")/../lib.sh"
[ -e "$BUILT/tree.tar" ] || fail "no $BUILT/tree.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "there is no cage without lichen"
lichen=${RUN%% *}
LICHEN_STATE=$WORK/state
TMPDIR=$WORK/temporary
export LICHEN_STATE TMPDIR
mkdir temporary project outside
echo secret >outside/secret
cp /bin/true outside/lichen-proxy
policy() {
	printf '%s\n' 'version: 1' "files: {read: [/etc, ./link, $WORK/outside], execute: [/usr, /bin, /lib, /lib64], write: [./out, /w, ~/mine]${1-}}" \
		"audit: {directory: $WORK/log}" "${2-}" >policy.yaml
}
policy
mkdir tree
tar -C tree --no-same-owner -xf "$BUILT/tree.tar" || fail 'cannot unpack the tree'
mkdir -p tree/srv/out tree/root/mine
ln -s "$WORK/outside/secret" tree/srv/link
tar -C tree -cf image.tar . || fail 'cannot pack the image'

caged() { "$lichen" run --cage policy.yaml "$@" </dev/null 2>err; }
in_tree() { caged --rootfs=tree --ephemeral -w /srv "$@"; }

if ! "$lichen" run --explain --rootfs=tree --ephemeral true 2>&1 | tr '\n' ' ' | grep -q 'The kernel gives the command a root'; then
	in_tree -- true
	same 'status where lichen would make the tree' 69 $?
	contains 'why' "$(cat err)" "needs the layer 'files'"
	passed
fi
in_tree --emulate=overlay -- true
same 'status where lichen is to make the tree' 69 $?

# what the policy names is the tree's; ./ starts where the command does, ~ is the home there
same 'what is allowed' '12 /srv x y' "$(in_tree -- sh -c 'echo $(cut -d. -f1 /etc/debian_version) $(pwd) $(echo x >out/f; cat out/f) $(echo y >/root/mine/f; cat ~/mine/f)')"
in_tree -- sh -c 'echo x >/etc/made'
same 'status of what is refused' 77 $?
contains 'what is told' "$(cat err)" 'denied fs.write /etc/made'
in_tree -- cat /var/lib/dpkg/status >out
same 'status of what no rule names' 77 $?
same 'what another run wrote' '' "$(in_tree -- ls out)"
same 'the tree is as it was' '' "$(ls tree/srv/out)"

# nothing leads to the machine's files: neither their paths, though the policy names them, nor links, /proc, the new root's top
in_tree -- sh -c 'cat "$1/outside/secret" link; cat /proc/*/root/"$1"/outside/secret /proc/*/cwd/secret ../../../../../"$1"/outside/secret; ls -d "$1"' sh "$WORK" >out 2>&1
! grep -q '^secret' out || fail "the machine's file was read: $(cat out)"
in_tree -v "$WORK/outside:/v" -- cat /v/secret >out
[ ! -s out ] || fail 'a volume that no rule names can be read'
in_tree -- sh -c 'mknod out/d c 1 3; chroot / true; mount -t tmpfs x out' >/dev/null
contains 'calls that are refused' "$(cat err)" 'denied syscall'

# a tree whose links lead above the root, with a cage and without: nothing is made on the machine
ln -sf "/../$WORK/outside/made" tree/etc/hosts
ln -s "/../$WORK/outside" tree/above
in_tree -v "$WORK/project:/above/directory" -- true >/dev/null
"$lichen" run --rootfs=tree --ephemeral -v "$WORK/project:/above/directory" -- true </dev/null >/dev/null 2>&1
same 'what a link of the tree made on the machine' 'lichen-proxy secret' "$(cd outside && echo *)"
rm tree/etc/hosts tree/above

# the log and its key are the machine's, and named by nothing that a tree can bring
mkdir -p fake/self/fd/3 fake/self/fd/4 fake/self/fd/5 fake/self/fd/6
for at in / /self/fd; do
	in_tree -v "$WORK/fake$at:/proc$at" -- sh -c 'echo x >out/f'
	same "status with a volume on /proc$at" 78 $?
	same "what a volume on /proc$at got" '' "$(find fake -type f)"
done
LICHEN_AUDIT_KEY=$WORK/key in_tree --audit="$WORK/signed" -- true
same 'status with a key elsewhere' '0 key' "$? $(ls key)"
LICHEN_AUDIT_KEY=$WORK/key in_tree --audit="$WORK/signed" -- true
same 'and again' '0 2' "$? $("$lichen" audit export --type=run.start "$WORK/signed" | grep -c "\"host\":\"$(uname -n)\"")"

caged --rootfs=tree --ephemeral --read-only -w /srv -v "$WORK/project:/w" -- sh -c 'echo x >/w/new; echo x 2>/dev/null >out/f || echo fine' >out
same 'a tree that is read-only' 'fine x' "$(cat out) $(cat project/new)"

# a policy or a log that lies in a volume
mkdir project/w
cp policy.yaml project/policy.yaml
"$lichen" run --cage project/policy.yaml --rootfs=tree --ephemeral -v "$WORK/project:/w" -- sh -c 'echo x >/w/new; echo x >>/w/policy.yaml; echo x >/w/policy.yaml' >/dev/null 2>&1 </dev/null
same 'the policy is kept' "$(cat policy.yaml)" "$(cat project/policy.yaml)"
same 'the volume is written' x "$(cat project/new)"
caged --audit="$WORK/project/log" --rootfs=tree --ephemeral -v "$WORK/project:/w" -- true
same 'status with a log in a volume' 78 $?
LICHEN_AUDIT_KEY=$WORK/project/key caged --audit="$WORK/elsewhere" --rootfs=tree --ephemeral -v "$WORK/project:/w" -- true
same 'status with a key in a volume' 78 $?

# what it takes, denies and limits
policy ', deny: [./out/.git]' 'limits: {disk: 2m, wall: 60s}'
in_tree -- sh -c 'mkdir out/.git 2>/dev/null; for i in 1 2 3 4; do head -c 1048576 /dev/zero >out/$i; done; sleep 50'
same 'status at the limit' 137 $?
contains 'which' "$(cat err)" 'limits.disk'
policy '' 'network: {mode: proxy, allow: ["a.example:443"]}'
in_tree -- true
same 'status with a proxy, which lies outside' 69 $?
policy '' 'environment: {pass: [HOME], set: {SET: here}}'

# an image: its environment, and what the policy sets; a signal
"$lichen" image import image.tar caged:1 >/dev/null 2>err || fail "import: $(cat err)"
same 'an image' '0 /srv /root here 12' "$(caged -w /srv caged:1 -- sh -c 'echo $(id -u) $(pwd) $HOME $SET $(cut -d. -f1 /etc/debian_version)')"
"$lichen" run --cage policy.yaml -v "$WORK/project:/w" caged:1 -- sh -c 'trap "echo caught >/w/caught; exit 9" TERM; echo >/w/begun; while :; do sleep 0.1; done' </dev/null 2>err &
running=$!
until_true 60 test -e project/begun || fail "it does not begin: $(cat err)"
kill "$running"
wait "$running"
same 'a signal that is passed on' '9 caught' "$? $(cat project/caught)"

"$lichen" audit verify log >out 2>&1 || fail "the log: $(cat out)"
contains 'the log' "$("$lichen" audit show log)" 'denied fs.write /etc/made'
same 'what is left' '' "$(ls -A temporary)"
! grep -q "$WORK" /proc/self/mounts || fail "mounts are left: $(grep "$WORK" /proc/self/mounts)"
passed

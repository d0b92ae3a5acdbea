#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image as Alpine's, of busybox and musl: users, a web server used from outside, pipes, archives; fifty starts; storms of names in layers and in the upper one.
. "$(dirname -- "$0")/../lib.sh"
[ -e "$BUILT/musl.tar" ] || fail "no $BUILT/musl.tar: run tests/e2e/prepare"
[ -n "$RUN" ] || skip "this is about lichen's own images"
need curl
LICHEN_STATE=$WORK/state
export LICHEN_STATE
lichen=${RUN%% *}
cleanup() { "$lichen" rm -f web >/dev/null 2>&1; }
"$lichen" image import "$BUILT/musl.tar" musl >import.out 2>import.err || fail "import: $(tail -n 3 import.err)"
in_image() { "$lichen" run musl -- "$@" 2>&1; }

same 'the shell' 'root 3' "$(in_image sh -c 'echo $(id -un) $((1 + 2))')"
same 'a program of musl' '/var: 1 names, the same, owner 0:0' "$(in_image look /var)"
same 'in what was copied up' '/var: 2 names, the same, owner 33:33' "$(in_image sh -c 'touch /var/new && chown 33:33 /var && look /var')"
same 'su' 'www 33 denied' "$(in_image su www -c 'echo $(id -un) $(id -g) $(touch /etc/x 2>/dev/null || echo denied)')"
same 'another user' 'alice:/home/alice' "$(in_image sh -c 'mkdir -p /home; echo "alice:x:1000:33::/home/alice:/bin/sh" >>/etc/passwd; mkdir -p /home/alice; chown alice /home/alice; stat -c %U:%n /home/alice')"
same 'tar' '755 33:0 link' "$(in_image sh -c 'mkdir /a; echo x >/a/f; chmod 755 /a/f; chown 33 /a/f; ln -s f /a/link; tar cf /t.tar a; rm -rf /a; tar xpf /t.tar; stat -c "%a %u:%g" /a/f; cd /a; ls | tail -n 1' | xargs)"
same 'a FIFO' 'through' "$(in_image sh -c 'mkfifo /f; echo through >/f & cat /f')"
same "a link's owner" '33:33 33:33' "$(in_image sh -c 'ln -s x /l; chown -h 33:33 /l; mv /l /m; stat -c %u:%g /m; mkdir /d; mv /m /d; stat -c %u:%g /d/m' | xargs)"
storm() {
	in_image sh -c '
		n=0
		while [ $n -lt '"$1"' ]; do
			echo $n >f$n; mv f$n g$n; ln -s g$n l$n; ln g$n h$n; mv l$n f$n; n=$((n + 1))
		done
		mkdir d; mv f* g* h* d; mv d e; ls e | wc -l; rm -rf e; ls -d e 2>/dev/null
		rm -rf /usr /sbin; ls -d /usr /sbin 2>/dev/null; mkdir /usr; ls /usr; mv /usr /usr2; ls -d /usr*'
}
n=$(size 200 40)
same 'a storm' "$((3 * n)) /usr2" "$(storm "$n" | xargs)"

port=$(free_port)
"$lichen" run -d --name web musl -- sh -c "echo hello >/var/www/index.html; exec httpd -f -u www -h /var/www -p 127.0.0.1:$port" >cell.out 2>&1 ||
	fail "run -d: $(cat cell.out)"
until_true 20 curl -fs "http://127.0.0.1:$port/" || fail "httpd: $("$lichen" logs web 2>&1)"
same 'its page' hello "$(curl -fs "http://127.0.0.1:$port/")"
same 'wget in another cell' hello "$(in_image wget -qO- "http://127.0.0.1:$port/")"
"$lichen" stop -t 1 web >/dev/null || fail stop

n=$(size 50 10) started=0
while [ "$started" -lt "$n" ]; do
	"$lichen" run musl -- true || fail "start $started"
	started=$((started + 1))
done
passed

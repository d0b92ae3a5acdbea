#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# apt-get installs what wants some thirty packages from a local repository, and removes it again; git and Python work in an image that has them.
. "$(dirname -- "$0")/../lib.sh"
for made in tree.tar servers.tar debs/Packages repo.git small-1.0-py3-none-any.whl; do
	[ -e "$BUILT/$made" ] || fail "no $BUILT/$made: run tests/e2e/prepare"
done
[ -n "$RUN" ] || skip "this is about lichen's own images"
LICHEN_STATE=$WORK/state
export LICHEN_STATE
lichen=${RUN%% *}
for image in tree servers; do
	"$lichen" image import "$BUILT/$image.tar" "$image" >import.out 2>import.err || fail "import: $(tail -n 3 import.err)"
done

cat >install.sh <<'X'
set -eu
export DEBIAN_FRONTEND=noninteractive
fail() { echo "$1: $(tail -n 5 /log)"; exit 1; }
echo 'deb [trusted=yes] copy:/debs ./' >/etc/apt/sources.list
apt-get -q update >/log 2>&1 || fail update
before=$(dpkg -l | grep -c ^ii)
apt-get -qy --no-install-recommends install redis-server nginx-light tini s6 runit procps >/log 2>&1 || fail install
[ "$(($(dpkg -l | grep -c ^ii) - before))" -ge 25 ] || fail 'fewer than 25'
dpkg --audit
dpkg --verify | grep -v ^missing || true
stat -c '%U:%G %a' /var/lib/redis /etc/redis/redis.conf
sed -i "s|80 default_server|8080 default_server|" /etc/nginx/sites-available/default
nginx -t 2>&1 | tail -n 1
apt-get -qy --purge --autoremove remove redis-server nginx-light tini s6 runit procps >/log 2>&1 || fail remove
[ "$(dpkg -l | grep -c ^ii)" = "$before" ] && echo 'as before'
ls /etc/redis /var/lib/nginx 2>/dev/null || echo gone
X
"$lichen" run -v "$BUILT/debs:/debs:ro" -v "$WORK/install.sh:/install.sh:ro" tree -- sh /install.sh >apt.out 2>&1 || fail "$(cat apt.out)"
same 'apt-get' 'redis:redis 750 redis:redis 640 nginx: configuration file /etc/nginx/nginx.conf test is successful as before gone' "$(xargs <apt.out)"

cat >work.sh <<'X'
set -eu
cd /root
git clone -q /repo.git repo
git -C repo status --short
git -C repo log --oneline | wc -l
git -C repo checkout -q HEAD~100
git -C repo fsck 2>/dev/null
git -C repo status --short
rm -rf repo
python3 -m venv v
v/bin/pip install -q --no-index --no-deps /small-1.0-py3-none-any.whl 2>/dev/null
v/bin/python -c 'import small; print(small.VERSION)'
rm -rf v /usr/lib/python3* /usr/share/perl5
ls -d /usr/lib/python3 /root/* 2>/dev/null || echo gone
X
whl=small-1.0-py3-none-any.whl
"$lichen" run -v "$BUILT/repo.git:/repo.git:ro" -v "$BUILT/$whl:/$whl:ro" -v "$WORK/work.sh:/work.sh:ro" servers -- sh /work.sh >work.out 2>&1 ||
	fail "$(tail -n 5 work.out)"
same 'git, Python' "$(git --git-dir="$BUILT/repo.git" rev-list --count HEAD) 1.0 gone" "$(xargs <work.out)"
passed

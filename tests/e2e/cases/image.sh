#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images without a registry: made of this machine, imported, loaded, saved, removed; bad ones leave no trace.
. "$(dirname -- "$0")/../lib.sh"
[ -n "$RUN" ] || skip "there are no images without lichen"
lichen=${RUN%% *}
export LICHEN_STATE="$WORK/state"

# root_of IMAGE: its root directory
root_of() { "$lichen" image inspect "$1" | sed -n 's/^ *"Dir": "\(.*\)"$/\1/p'; }
# files: what the store holds, but its lock
files() { (cd state/images && find . ! -name lock | LC_ALL=C sort); }

/usr/bin/python3 -I "$CASES/image_archives.py" >bad || fail "image_archives.py"

# one of this machine
"$lichen" image from-host tiny sh cat >id || fail "from-host: $?"
id=$(cat id)
same "id in images" "$id" "$("$lichen" images -q --no-trunc)"
test -x "$(root_of tiny)/usr/bin/cat" || test -x "$(root_of tiny)/bin/cat" || fail "from-host brings no cat"
same "no program" 66 "$(status_of "$lichen" image from-host x no-such-program)"

# layers and whiteouts
"$lichen" load -i layers.tar >out 2>warnings || fail "load: $(cat warnings)"
same "load says" "Loaded image: layers:1" "$(cat out)"
root=$(root_of layers:1)
same "whiteouts" "d hard link null o owned setuid d/stays o/new" "$(cd "$root" && { find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort; \
	find . -mindepth 2 -printf '%P\n' | sort; } | tr '\n' ' ' | sed 's/ $//')"
same "hard link" 4 "$(cat "$root/hard")"
if [ "$(id -u)" = 0 ]; then
	same "owner" 1234 "$(find "$root/owned" -printf %U)"
	same "mode" 4755 "$(find "$root/setuid" -printf %m)"
else
	same "mode without privilege" 755 "$(find "$root/setuid" -printf %m)"
	/usr/bin/python3 -I -c '
import os, sys
try:
    os.setxattr(".", "user.x", b"")
except OSError:
    sys.exit(0)
for name, is_so in (("owned", b"1234:1234:0644"), ("setuid", b"0:0:04755"), ("null", b"0:0:0644:char-1-3")):
    assert os.getxattr(sys.argv[1] + "/" + name, "user.containers.override_stat") == is_so, name
' "$root" || fail "what the host refuses is not kept"
fi
"$lichen" load -qi layout || fail "load of an OCI layout"

# a directory and archives of it are the same root
mkdir -p dir/sub && echo data >dir/sub/file && ln -s sub/file dir/link && ln dir/sub/file dir/hard && mkfifo dir/fifo
"$lichen" image import dir dir >/dev/null || fail "import of a directory"
tar -C dir -cz . | "$lichen" image import - zipped >/dev/null || fail "import of stdin"
for image in dir zipped; do
	same "$image" "$(cd dir && find . -mindepth 1 -printf '%P %y %l %n\n' | sort)" \
		"$(cd "$(root_of $image)" && find . -mindepth 1 -printf '%P %y %l %n\n' | sort)"
done

# away and back
"$lichen" save -o saved layers:1 dir || fail "save"
before=$("$lichen" images -q --no-trunc layers)
"$lichen" rmi layers:1 dir >/dev/null || fail "rmi"
same "removed" 66 "$(status_of "$lichen" image inspect layers:1)"
"$lichen" load <saved >/dev/null || fail "load what was saved"
same "id of what was saved" "$before" "$("$lichen" images -q --no-trunc layers)"
if command -v skopeo >/dev/null && [ "$SLOW" = 0 ]; then
	skopeo inspect --tmpdir "$WORK" docker-archive:saved:layers:1 >/dev/null || fail "skopeo does not read it as docker-archive"
	skopeo inspect --tmpdir "$WORK" "oci-archive:saved:latest" >/dev/null || fail "skopeo does not read it as OCI layout"
fi

# names
"$lichen" tag tiny again:x && "$lichen" rmi tiny >/dev/null || fail "tag, rmi"
same "another name" "$id" "$("$lichen" images -q --no-trunc again:x)"
same "two names need --force" 69 "$("$lichen" tag again:x third && status_of "$lichen" rmi "${id#sha256:}")"
"$lichen" rmi -f "${id#sha256:}" >/dev/null || fail "rmi -f"
same "no reference" 64 "$(status_of "$lichen" tag dir 'Not/A reference')"

# what is bad leaves no trace
files >store
while read -r name text; do
	"$lichen" load -i "$name" >out 2>err
	same "$name, status" 65 $?
	contains "$name" "$(cat err)" "$text"
	same "$name, lines" 1 "$(wc -l <err)"
	files | cmp -s - store || fail "$name left something: $(files | diff - store | head -n 3)"
done <bad
test -s layers.tar && [ ! -e x ] && [ ! -e evil ] || fail "a layer wrote outside its root"
same "no file" 66 "$(status_of "$lichen" load -i nothing)"

# several at once, some killed
for i in 1 2 3 4; do
	(
		# shellcheck disable=SC2016 # the arguments are the other shell's
		setsid sh -c 'while :; do "$0" image import dir "$1" && "$0" rmi "$1"; done' "$lichen" "many$i" >/dev/null 2>&1 &
		sleep "0.$i"
		kill -9 "-$!"
	)
done
until_true 30 "$lichen" image import dir last || fail "import after others were killed"
for name in $("$lichen" images --json | sed -n 's/^ *"reference": "\(.*\)",$/\1/p'); do
	test -e "$(root_of "$name")" || fail "$name has no root"
	"$lichen" rmi "$name" >/dev/null || fail "rmi $name"
done
until_true 10 sh -c "$lichen rmi -f x; test -z \"\$(find state/images/blobs state/images/roots state/images/tmp -mindepth 1 ! -name sha256)\"" ||
	fail "garbage stays: $(files)"

passed

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images by docker's command line under lichen up docker: save, load, a build of many steps, a registry, prune.
. "$(dirname -- "$0")/../lib.sh"
. "$CASES/docker_daemon.sh"
need docker-registry
registry=0
cleanup() {
	"$lichen" down docker >"$WORK/down.log" 2>&1
	[ $registry = 0 ] || kill $registry
}
docker_up
base_image sleep true chmod cp env

# --- save and load ------------------------------------------------------------------------------------------------------------------
d tag base saved:1
d save -o saved.tar saved:1
d rmi saved:1 base >/dev/null
contains load "$(d load -i saved.tar)" 'Loaded image: saved:1'
same "what was loaded" loaded "$(d run --rm --network=none saved:1 echo loaded)"
d tag saved:1 base

# --- a build ----------------------------------------------------------------------------------------------------------------------------
mkdir -p context/source
echo source >context/source/file
echo secret >context/secret
echo 'secret' >context/.dockerignore
cat >context/Dockerfile <<'END'
FROM base AS first
ARG WORD=none
ENV GREETING=hello
WORKDIR /work
COPY source/ source/
COPY . all/
RUN echo "$GREETING $WORD" >greeting && ls -A all >listing
FROM base
ENV PLACE=/made
COPY --from=first /work/greeting /work/listing /work/source/file /made/
COPY --chown=7:8 source/file /owned
USER 7:8
RUN grep -c lo: /proc/net/dev >/tmp/net && id >/tmp/id
LABEL by=lichen
CMD cat $PLACE/greeting $PLACE/listing $PLACE/file /tmp/id
END
made='hello world
.dockerignore
Dockerfile
source
source
uid=7 gid=8'
DOCKER_BUILDKIT=1 d build -q --network=host --build-arg WORD=world -t made context >/dev/null
same "what BuildKit built" "$made" "$(d run --rm --network=none made | sed 's/ groups=8//')"
same "who owns" '7 8' "$(d run --rm --network=none made ls -n /owned | tr -s ' ' | cut -d ' ' -f 3,4)"
DOCKER_BUILDKIT=0 d build -q --network=host --build-arg WORD=world -t classic context >/dev/null
same "what the classic builder built" "$made" "$(d run --rm --network=none classic | sed 's/ groups=8//')"

# --- a registry --------------------------------------------------------------------------------------------------------------------------
port=$(free_port)
cat >registry.yml <<END
version: 0.1
storage: { filesystem: { rootdirectory: $WORK/registry } }
http: { addr: "127.0.0.1:$port" }
END
docker-registry serve registry.yml >registry.log 2>&1 &
registry=$!
until_true 60 curl -sf "http://127.0.0.1:$port/v2/" || fail "no registry: $(tail -3 registry.log)"
name=localhost:$port/box/made:1
d tag made "$name"
d push -q "$name" >/dev/null
d rmi "$name" made classic >/dev/null
d image prune -af >/dev/null
d pull -q "$name" >/dev/null
same "what was pulled" "$made" "$(d run --rm --network=none "$name" | sed 's/ groups=8//')"

# --- prune -------------------------------------------------------------------------------------------------------------------------------
d create --name unused --network=none -v nobodys:/v "$name" true >/dev/null
d container prune -f >/dev/null
same "containers after prune" "" "$(d ps -aq)"
d volume prune -f >/dev/null
same "volumes after prune" "" "$(d volume ls -q)"
d builder prune -af >/dev/null
same "build cache after prune" 0B "$(d system df --format '{{.Type}} {{.Size}}' | sed -n 's/^Build Cache //p')"
d system prune -af --volumes >/dev/null
same "images after prune" "" "$(d images -q)"
docker_down
passed

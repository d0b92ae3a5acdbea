#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Docker's other clients under lichen up docker, unmodified: a stack of three services (tests/e2e/stack: nginx, Python, PostgreSQL on System V shared memory) by
# docker-compose, which waits for their health; healthchecks in both directions; python3-docker.
. "$(dirname -- "$0")/../lib.sh"
[ "${UNDER-}" != native ] || skip "this is what natively fails"
for program in /usr/bin/docker docker-compose dockerd containerd runc nginx curl /usr/lib/postgresql/15/bin/postgres; do need "$program"; done
/usr/bin/python3 -c 'import docker, psycopg2' || skip "python3-docker or python3-psycopg2 is not installed"
lichen=${RUN%% *}
export LICHEN_STATE="$WORK/state" HOME="$WORK"
unset DOCKER_HOST DOCKER_CONTEXT COMPOSE_FILE COMPOSE_PROJECT_NAME
# What the machine has in /var/lib/docker may be part of a lower layer here, where directories cannot be renamed.
mkdir -p config/lichen/units/docker.service.d
export XDG_CONFIG_HOME="$WORK/config"
cat >config/lichen/units/docker.service.d/test.conf <<END
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --data-root $WORK/data
END

cleanup() { "$lichen" down docker >"$WORK/down.log" 2>&1; }

# docker ARG…, which must end well
d() {
	/usr/bin/docker "$@" 2>"$WORK/err" || fail "docker $*: status $?: $(tail -5 "$WORK/err"); $("$lichen" logs docker 2>&1 | tail -5)"
}

# docker-compose ARG…, likewise
compose() {
	docker-compose --ansi never -p stack -f "$WORK/stack/docker-compose.yml" "$@" 2>"$WORK/err" ||
		fail "docker-compose $*: status $?: $(tail -5 "$WORK/err"); $(docker-compose -p stack -f "$WORK/stack/docker-compose.yml" logs --no-color --tail 5 2>&1)"
}

health_is() { [ "$(d inspect -f '{{.State.Health.Status}}' "$1")" = "$2" ]; }

LICHEN=$lichen "$CASES/../stack/prepare" "$WORK/stack" || fail "no images can be made"
"$lichen" up --timeout 120 docker >"$WORK/up.log" 2>&1 || fail "lichen up docker: status $?: $(tail -20 "$WORK/up.log")"
contains load "$(d load -i "$WORK/stack/base.tar")" stack-base

# --- three services -------------------------------------------------------------------------------------------------------------
WEB_PORT=$(free_port) # of a network that only this run is in
export WEB_PORT APP_PORT=$((WEB_PORT + 1)) DB_PORT=$((WEB_PORT + 2)) COMPOSE_HTTP_TIMEOUT=300
ask() { curl -fsS --max-time 60 "http://127.0.0.1:$WEB_PORT/$1"; }
compose build -q
compose up -d
until_true 120 ask health || fail "nginx does not answer: $(compose logs --tail 5)"
same "the first answer" "visit 1" "$(ask visit)"
same "the second answer" "visit 2" "$(ask visit)"
same services 'app Up (healthy)
db Up (healthy)
web Up' "$(compose ps | awk '/^stack_/ { split($1, name, "_"); print name[2], substr($0, match($0, /Up( \(healthy\))?/), RLENGTH) }')"
logged() { compose logs --no-color | grep -qF "$1"; }
until_true 60 logged 'database system is ready to accept connections' || fail "the log of the database: $(compose logs --no-color db)"
until_true 60 logged '"GET /visit HTTP/1.1" 200' || fail "the log of the web server: $(compose logs --no-color web)"
same "a command in a service" "$DB_PORT" "$(compose exec -T db sh -c 'echo $DB_PORT')"
compose up -d --no-deps --force-recreate db
until_true 120 ask visit || fail "the new database does not answer: $(compose logs --tail 5)"
contains "what the volume kept" "visit 4 visit 5 visit 6" "$(ask visit)"
compose down -v --rmi local
same "containers after down -v" "" "$(d ps -aq)"
same "volumes after down -v" "" "$(d volume ls -q)"
same "images after down --rmi" stack-base:latest "$(d images --format '{{.Repository}}:{{.Tag}}' | grep -v '<none>')"

# --- health ---------------------------------------------------------------------------------------------------------------------
d run -d --name one --network=none --health-cmd '[ -e /well ] || { echo is ill; false; }' --health-interval 100ms --health-timeout 60s --health-retries 2 \
	stack-base sleep 600 >/dev/null
until_true 120 health_is one unhealthy || fail "it does not become unhealthy: $(d inspect -f '{{json .State.Health}}' one)"
contains "what the check said" "$(d inspect -f '{{json .State.Health.Log}}' one)" 'is ill\n'
d exec one sh -c 'echo >/well'
until_true 120 health_is one healthy || fail "it does not become healthy: $(d inspect -f '{{json .State.Health}}' one)"
contains ps "$(d ps)" '(healthy)'
d exec one rm /well
until_true 120 health_is one unhealthy || fail "it does not become unhealthy again: $(d inspect -f '{{json .State.Health}}' one)"
d rm -f one >/dev/null

# --- python3-docker ---------------------------------------------------------------------------------------------------------------
/usr/bin/python3 -I "$CASES/docker_compose_client.py" >"$WORK/client.out" 2>&1 || fail "python3-docker: $(tail -20 "$WORK/client.out")"

same containers "" "$(d ps -aq)"
"$lichen" down docker >"$WORK/down.log" 2>&1 || fail "lichen down docker: status $?: $(cat "$WORK/down.log")"
passed

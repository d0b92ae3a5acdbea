# SPDX-License-Identifier: Apache-2.0
# bash completion for lichen(1)

# Completes the last element of a comma-separated list of gaps.
_lichen_gaps() {
	local gaps='all sysvipc sysctl devices newcalls fstype identity mounts overlay namespaces processes cgroup netfilter vnet keyring seccomp xattr'
	local before=
	[[ $cur == *,* ]] && before=${cur%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$gaps" -- "${cur##*,}")
	compopt -o nospace
}

# Completes what an image is called.
_lichen_images() {
	mapfile -t COMPREPLY < <(compgen -W "$(lichen images 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }')" -- "$cur")
}

# Completes a cell's name; all: those that have ended, too.
_lichen_cells() {
	local names
	names=$(lichen ps ${1:+-a} --json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p')
	mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur")
}

# Completes a unit that a package has installed.
_lichen_units() {
	local units
	units=$(find /etc/lichen/units /etc/systemd/system /lib/systemd/system -maxdepth 1 \( -name '*.service' -o -name '*.socket' \) -printf '%f\n' 2>/dev/null | sed 's/\.service$//')
	mapfile -t COMPREPLY < <(compgen -W "$units" -- "$cur")
}

# Completes an option of the commands about units, or a unit.
_lichen_unit_command() {
	case $option in
	--emulate | --native | --refuse) _lichen_gaps && return ;;
	--time | --timeout | -t) mapfile -t COMPREPLY < <(compgen -W '10 60 300' -- "$cur") && return ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$1 --help" -- "$cur")
	else
		_lichen_units
	fi
}

# Completes an option of the commands about cells, or a cell.
_lichen_cell_command() {
	local signals='TERM KILL HUP INT QUIT USR1 USR2 CONT STOP'
	case $option in
	--filter | -f)
		if [[ $command == ps ]]; then
			mapfile -t COMPREPLY < <(compgen -W 'name= id= status= label= exited=' -- "$cur")
			return
		fi
		;;
	--signal | -s | --stop-signal) mapfile -t COMPREPLY < <(compgen -W "$signals" -- "$cur") && return ;;
	--time | --tail | -n) mapfile -t COMPREPLY < <(compgen -W '0 1 10 100' -- "$cur") && return ;;
	--change | -c) mapfile -t COMPREPLY < <(compgen -W 'CMD ENTRYPOINT ENV EXPOSE LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR' -- "$cur") && return ;;
	--author | --message | -a | -m) [[ $command == commit ]] && COMPREPLY=(TEXT) && return ;;
	--output | -o) [[ $command == export ]] && _filedir && return ;;
	--memory | --memory-swap | -m) mapfile -t COMPREPLY < <(compgen -W '64m 512m 1g' -- "$cur") && return ;;
	--cpus) mapfile -t COMPREPLY < <(compgen -W '0.5 1 2' -- "$cur") && return ;;
	--pids-limit) mapfile -t COMPREPLY < <(compgen -W '100 1000 -1' -- "$cur") && return ;;
	--cpuset-cpus) mapfile -t COMPREPLY < <(compgen -W '0 0-1' -- "$cur") && return ;;
	--sig-proxy) mapfile -t COMPREPLY < <(compgen -W 'true false' -- "$cur") && return ;;
	--detach-keys) COMPREPLY=(ctrl-p,ctrl-q) && return ;;
	--restart) mapfile -t COMPREPLY < <(compgen -W 'no on-failure always unless-stopped' -- "$cur") && return ;;
	--since) mapfile -t COMPREPLY < <(compgen -W '1m 10m 1h 1d' -- "$cur") && return ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$1 --help" -- "$cur")
	elif [[ $command != ps ]]; then
		_lichen_cells "$2"
	fi
}

_lichen() {
	local cur prev words cword
	_init_completion -n '=:,' || return
	local command=${words[1]} option=$prev i
	if ((cword == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'run doctor why image images load save tag rmi pull exec attach top ps logs stop kill wait rm inspect diff commit cp export stats pause unpause update rename volume system oci pii cage flow up down restart reload status audit help --version --help' -- "$cur")
		return
	fi
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*}
		cur=${cur#*=}
	fi
	case $command in
	help)
		mapfile -t COMPREPLY < <(compgen -W 'run doctor why image images load save tag rmi pull exec attach top ps logs stop kill wait rm inspect diff commit cp export stats pause unpause update rename volume system oci pii cage flow up down restart reload status audit' -- "$cur")
		;;
	doctor)
		case $option in
		--for)
			_filedir
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -W 'docker containerd kubernetes postgres flow' -- "$cur")
			;;
		--html | --kernel-config) _filedir ;;
		*) mapfile -t COMPREPLY < <(compgen -W '--for= --kernel-config= --html= --json --help' -- "$cur") ;;
		esac
		;;
	image)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--help' -- "$cur")
		elif ((cword == 2)); then
			mapfile -t COMPREPLY < <(compgen -W 'import from-host inspect' -- "$cur")
		elif [[ ${words[2]} == import ]] && ((cword == 3)); then
			_filedir
		elif [[ ${words[2]} == from-host ]] && ((cword > 3)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		elif [[ ${words[2]} == inspect ]]; then
			_lichen_images
		fi
		;;
	images)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--json --quiet --no-trunc --help' -- "$cur")
		else
			_lichen_images
		fi
		;;
	pull)
		case $option in
		--ca) _filedir ;;
		*)
			if [[ $cur == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W '--quiet --plain-http --ca= --help' -- "$cur")
			else
				_lichen_images
			fi
			;;
		esac
		;;
	ps) _lichen_cell_command '--all --quiet --json --filter=' ;;
	logs) _lichen_cell_command '--follow --tail= --since= --timestamps' all ;;
	stop) _lichen_cell_command '--time= --signal=' ;;
	kill) _lichen_cell_command '--signal=' ;;
	rm) _lichen_cell_command '--force --volumes' all ;;
	top) _lichen_cell_command '' ;;
	wait | inspect) _lichen_cell_command '' all ;;
	attach) _lichen_cell_command '--no-stdin --sig-proxy= --detach-keys=' ;;
	diff) _lichen_cell_command '--json' all ;;
	commit) _lichen_cell_command '--no-pause --author= --message= --change=' all ;;
	cp)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--archive --follow-link --quiet --help' -- "$cur")
		else
			_filedir
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -S : -W "$(lichen ps -a --json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p')" -- "$cur")
		fi
		;;
	export) _lichen_cell_command '--output=' all ;;
	stats) _lichen_cell_command '--all --no-stream --json' all ;;
	pause) _lichen_cell_command '' all ;;
	unpause) _lichen_cell_command '' all ;;
	update) _lichen_cell_command '--restart= --memory= --memory-swap= --cpus= --pids-limit= --cpuset-cpus=' all ;;
	rename) _lichen_cell_command '' all ;;
	up | restart) _lichen_unit_command '--explain --json --timeout= --force --runtime= --no-proof --emulate= --native= --refuse=' ;;
	down) _lichen_unit_command '--time=' ;;
	reload) _lichen_unit_command '' ;;
	status) _lichen_unit_command '--json' ;;
	load)
		case $option in
		--input | -i) _filedir ;;
		*) mapfile -t COMPREPLY < <(compgen -W '--input= --quiet --help' -- "$cur") ;;
		esac
		;;
	save)
		case $option in
		--output | -o) _filedir ;;
		*) if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--output= --help' -- "$cur")
		else
			_lichen_images
		fi ;;
		esac
		;;
	system)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--json --all --volumes --force --help' -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -W 'df prune' -- "$cur")
		fi
		;;
	audit)
		case $option in
		--key | --witness) _filedir ;;
		--type) mapfile -t COMPREPLY < <(compgen -W 'log.created log.recovered run.start run.plan run.policy run.end' -- "$cur") ;;
		--run) COMPREPLY=(0123456789abcdef) ;;
		*)
			if [[ $cur == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W '--key= --json --csv --run= --type= --witness= --help' -- "$cur")
			elif ((cword == 2)); then
				mapfile -t COMPREPLY < <(compgen -W 'verify show export prove checkpoint witness-check' -- "$cur")
			else
				_filedir
			fi
			;;
		esac
		;;
	volume)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--quiet --force --help' -- "$cur")
		elif ((cword == 2)); then
			mapfile -t COMPREPLY < <(compgen -W 'ls create rm inspect' -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -W "$(lichen volume ls -q 2>/dev/null)" -- "$cur")
		fi
		;;
	cage)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--json --help' -- "$cur")
		elif ((cword == 2)); then
			mapfile -t COMPREPLY < <(compgen -W 'check env-check' -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -W 'offline' -- "$cur")
			_filedir
		fi
		;;
	pii)
		case $option in
		--strategy) mapfile -t COMPREPLY < <(compgen -W 'mask hash remove' -- "$cur") ;;
		--key) _filedir ;;
		--entities) mapfile -t COMPREPLY < <(compgen -W "$(lichen pii list 2>/dev/null | cut -d ' ' -f 1) CREDIT_CARD none" -- "$cur") ;;
		--pattern) COMPREPLY=(NAME=) ;;
		*)
			if [[ $cur == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W '--strategy= --key= --entities= --pattern= --json --help' -- "$cur")
			elif ((cword == 2)); then
				mapfile -t COMPREPLY < <(compgen -W 'scan redact list' -- "$cur")
			else
				_filedir
			fi
			;;
		esac
		;;
	flow)
		case $option in
		-C | --directory) _filedir -d ;;
		--config) _filedir ;;
		--resume) mapfile -t COMPREPLY < <(compgen -W "$(lichen flow list 2>/dev/null | cut -d ' ' -f 1) RUN" -- "$cur") ;;
		--allow-weaker) mapfile -t COMPREPLY < <(compgen -W 'files deny syscalls network unix scopes limits' -- "$cur") ;;
		--step) COMPREPLY=(1) ;;
		*)
			if [[ $cur == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W '--directory= --config= --no-sandbox --allow-weaker= --resume= --step= --json --help' -- "$cur")
			elif ((cword == 2)); then
				mapfile -t COMPREPLY < <(compgen -W 'run validate init status logs list' -- "$cur")
			else
				_filedir
			fi
			;;
		esac
		;;
	oci)
		case $option in
		--root | --log) _filedir ;;
		--log-format) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur") ;;
		--rootless) mapfile -t COMPREPLY < <(compgen -W 'auto true false' -- "$cur") ;;
		*)
			if [[ $cur == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W '--root= --log= --log-format= --debug --systemd-cgroup --rootless= --version --help' -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -W 'create start run state kill delete exec ps list pause resume update events spec features' -- "$cur")
			fi
			;;
		esac
		;;
	rmi)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--force --help' -- "$cur")
		else
			_lichen_images
		fi
		;;
	tag)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--help' -- "$cur")
		else
			_lichen_images
		fi
		;;
	exec)
		# Behind the cell there is a command.
		for ((i = 2; i < cword; i++)); do
			case ${words[i]} in
			--env | --workdir | --user | --detach-keys | -e | -w | -u) i=$((i + 1)) ;;
			-*) ;;
			*) break ;;
			esac
		done
		case $option in
		--user | -u) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
		--workdir | -w) _filedir -d ;;
		--env | -e) mapfile -t COMPREPLY < <(compgen -S = -v -- "$cur") && compopt -o nospace ;;
		*)
			if ((i < cword)); then
				_command_offset $((i + 1))
				return
			fi
			_lichen_cell_command '--detach --interactive --tty --env= --workdir= --user= --detach-keys='
			;;
		esac
		;;
	run | why)
		local mine='--explain --json --hostname= --pid= --rootfs= --upper= --ephemeral --volume= --env-file= --name= --detach --rm --interactive --tty --label= --ulimit='
		mine+=' --stop-signal= --stop-timeout= --restart= --log-size= --user= --group-add= --entrypoint= --pull= --platform= --network= --read-only'
		mine+=' --audit= --cage= --allow-weaker= --learn= --mount= --tmpfs= --shm-size= --init --add-host= --dns= --dns-search= --dns-option= --label-file= --cidfile= --detach-keys='
		mine+=' --memory= --memory-swap= --cpus= --pids-limit= --cpuset-cpus='
		[[ $command == why ]] && mine='--bare --json --redact --html= --output= --trace= --read='
		# The first word that is neither an option nor an option's value is the command to run.
		for ((i = 2; i < cword; i++)); do
			case ${words[i]} in
			--) i=$((i + 1)) && break ;;
			--emulate | --native | --refuse | --env | --workdir | --rootfs | --upper | --volume | -e | -w | -v) i=$((i + 1)) ;;
			--html | --output | --trace | --read | -o) i=$((i + 1)) ;;
			--user | -u | --group-add | --entrypoint | --pull | --platform | --network | --mount | --tmpfs | --shm-size) i=$((i + 1)) ;;
			--add-host | --dns | --dns-search | --dns-option | --label-file | --cidfile | --detach-keys) i=$((i + 1)) ;;
			--audit | --cage | --allow-weaker | --learn | --env-file | --hostname | --pid | --name | --label | -l | --ulimit | --stop-signal | --stop-timeout | --restart | --log-size) i=$((i + 1)) ;;
			--memory | -m | --memory-swap | --cpus | --pids-limit | --cpuset-cpus) i=$((i + 1)) ;;
			-*) ;;
			*) break ;;
			esac
		done
		if ((i < cword)) || [[ $i -eq $cword && ${words[cword - 1]} == -- ]]; then
			_command_offset "$i"
			return
		fi
		case $option in
		--emulate | --native | --refuse) _lichen_gaps ;;
		--workdir | --rootfs | --upper | --audit | -w) _filedir -d ;;
		--html | --output | --trace | --read | --env-file | --label-file | --cidfile | --cage | --learn | -o) _filedir ;;
		--user | -u) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
		--group-add) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
		--allow-weaker) mapfile -t COMPREPLY < <(compgen -W 'files deny syscalls network unix scopes limits' -- "$cur") ;;
		--pull) mapfile -t COMPREPLY < <(compgen -W 'missing always never' -- "$cur") ;;
		--platform) COMPREPLY=(linux/amd64) ;;
		--network) mapfile -t COMPREPLY < <(compgen -W 'host none' -- "$cur") ;;
		--mount) mapfile -t COMPREPLY < <(compgen -W 'type=bind,src= type=volume,src= type=tmpfs,dst=' -- "$cur") ;;
		--shm-size) mapfile -t COMPREPLY < <(compgen -W '64m 256m 1g' -- "$cur") ;;
		--pid) mapfile -t COMPREPLY < <(compgen -W 'private host' -- "$cur") ;;
		--sig-proxy) mapfile -t COMPREPLY < <(compgen -W 'true false' -- "$cur") && return ;;
	--detach-keys) COMPREPLY=(ctrl-p,ctrl-q) && return ;;
	--restart) mapfile -t COMPREPLY < <(compgen -W 'no on-failure always unless-stopped' -- "$cur") ;;
		--ulimit) mapfile -t COMPREPLY < <(compgen -W 'core= cpu= fsize= memlock= nofile= nproc= stack=' -- "$cur") ;;
		--stop-signal) mapfile -t COMPREPLY < <(compgen -W 'TERM INT QUIT HUP USR1' -- "$cur") ;;
		--stop-timeout) mapfile -t COMPREPLY < <(compgen -W '0 1 10 60' -- "$cur") ;;
		--memory | --memory-swap | -m) mapfile -t COMPREPLY < <(compgen -W '64m 512m 1g' -- "$cur") ;;
		--cpus) mapfile -t COMPREPLY < <(compgen -W '0.5 1 2' -- "$cur") ;;
		--pids-limit) mapfile -t COMPREPLY < <(compgen -W '100 1000 -1' -- "$cur") ;;
		--cpuset-cpus) mapfile -t COMPREPLY < <(compgen -W '0 0-1' -- "$cur") ;;
		--log-size) mapfile -t COMPREPLY < <(compgen -W '64k 1m 16m 256m' -- "$cur") ;;
		--env | -e) mapfile -t COMPREPLY < <(compgen -S = -v -- "$cur") && compopt -o nospace ;;
		*)
			if [[ $cur == -* ]]; then
				mapfile -t COMPREPLY < <(compgen -W \
					"--emulate= --native= --refuse= $mine --env= --workdir= --help" -- "$cur")
			else
				_command_offset "$cword"
			fi
			;;
		esac
		;;
	esac
	[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	return 0
}
complete -F _lichen lichen

# SPDX-License-Identifier: Apache-2.0
# bash completion for lichen(1)

# Completes the last element of a comma-separated list of gaps.
_lichen_gaps() {
	local gaps='all sysvipc sysctl devices newcalls fstype identity mounts overlay namespaces cgroup netfilter vnet keyring seccomp xattr'
	local before=
	[[ $cur == *,* ]] && before=${cur%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$gaps" -- "${cur##*,}")
	compopt -o nospace
}

# Completes what an image is called.
_lichen_images() {
	mapfile -t COMPREPLY < <(compgen -W "$(lichen images 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }')" -- "$cur")
}

_lichen() {
	local cur prev words cword
	_init_completion -n '=:,' || return
	local command=${words[1]} option=$prev i
	if ((cword == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'run doctor why image images help --version --help' -- "$cur")
		return
	fi
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*}
		cur=${cur#*=}
	fi
	case $command in
	help)
		mapfile -t COMPREPLY < <(compgen -W 'run doctor why image images' -- "$cur")
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
			mapfile -t COMPREPLY < <(compgen -W 'import' -- "$cur")
		elif [[ ${words[2]} == import ]] && ((cword == 3)); then
			_filedir
		fi
		;;
	images)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--json --quiet --no-trunc --help' -- "$cur")
		else
			_lichen_images
		fi
		;;
	run | why)
		local mine='--explain --json --rootfs= --volume='
		[[ $command == why ]] && mine='--bare --json --html= --output= --trace= --read='
		# The first word that is neither an option nor an option's value is the command to run.
		for ((i = 2; i < cword; i++)); do
			case ${words[i]} in
			--) i=$((i + 1)) && break ;;
			--emulate | --native | --refuse | --env | --workdir | --rootfs | --volume | -e | -w | -v) i=$((i + 1)) ;;
			--html | --output | --trace | --read | -o) i=$((i + 1)) ;;
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
		--workdir | --rootfs | -w) _filedir -d ;;
		--html | --output | --trace | --read | -o) _filedir ;;
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

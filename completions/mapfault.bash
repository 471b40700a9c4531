# SPDX-License-Identifier: Apache-2.0
# Completion of mapfault's commands and options for bash.

_mapfault_options()
{
	local output="--json --format --color --output --quiet --force --help"

	case $1 in
	goroutines) echo "$output --all --blocked --system --pid" ;;
	map) echo "$output --values --limit --pid" ;;
	run) echo "$output --source-root --hold --core --record --allocs --reads" ;;
	attach) echo "$output --source-root --fail-on --hold --core --record --allocs --reads --pid" ;;
	detach) echo "--quiet --help --pid" ;;
	watch) echo "$output --source-root --pid --map --type --events --seconds" ;;
	sites) echo "$output --system" ;;
	growth) echo "$output --all" ;;
	goroutine | maps) echo "$output --pid" ;;
	record) echo "--json --format --color --output --quiet --help --source-root --pid --remove --keep --folder --allocs --reads --report-shared" ;;
	explain) echo "--format --color --output --quiet --help" ;;
	repro) echo "--output --run --source --seconds --download --json --color --quiet --help" ;;
	sensitivity) echo "--output --go --runs --minutes --svg --download --json --color --quiet --help" ;;
	doctor) echo "--json --format --color --output --quiet --help --pid --root" ;;
	version) echo "--json --help" ;;
	help) echo "--help" ;;
	*) echo "$output --source-root --fail-on --pid" ;;
	esac
}

_mapfault()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="diagnose goroutines goroutine maps map run attach detach watch sites growth record explain repro sensitivity doctor version help"

	COMPREPLY=()
	case $previous in
	--format) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$current") && return ;;
	--color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current") && return ;;
	--fail-on) mapfile -t COMPREPLY < <(compgen -W "possible likely proven" -- "$current") && return ;;
	--source-root | --root | --folder) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
	--source-root | --source | --root) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
	--limit | --seconds | --events | --map | --type | --go | --runs | --minutes) return ;;
	help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current") && return ;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_mapfault_options "${COMP_WORDS[1]}")" -- "$current")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current"; compgen -f -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o filenames -F _mapfault mapfault

#compdef mapfault
# SPDX-License-Identifier: Apache-2.0
# Completion of mapfault's commands and options for zsh.

_mapfault() {
	local -a commands output
	commands=(
		'diagnose:name the map, both goroutines and both lines of a map fatal'
		'goroutines:list goroutines, grouped by equal stacks'
		'goroutine:show one goroutine'
		'maps:list the maps that globals and stacks reach'
		'map:show one map'
		'run:run a program, and name both sides at the instant of a map fatal'
		'attach:watch a running process for a map fatal'
		'detach:let go of a process that is watched'
		'watch:see each write of one map begin and end'
		'sites:list every map operation in a program'\''s code'
		'record:record who writes which map while a program runs'
		'record:record who writes which map while a program runs'
		'growth:tell which places make and grow maps'
		'explain:tell the reasoning behind a report'
		'repro:write a Go program that does it again'
		'sensitivity:measure how often Go notices a race on a map'
		'doctor:say what a crash would leave behind today'
		'version:show the version'
		'help:show what a command does'
	)
	output=(
		'(-j --json)'{-j,--json}'[the same as --format json]'
		'--format[text or json]:format:(text json)'
		'--color[when to colour]:when:(auto always never)'
		'(-o --output)'{-o,--output}'[write to a file]:file:_files'
		'(-q --quiet)'{-q,--quiet}'[no progress, no notes]'
		'(-h --help)'{-h,--help}'[help]'
		'--force[go on although core and binary do not belong together]'
	)
	if (( CURRENT == 2 )); then
		_alternative 'commands:command:{_describe command commands}' 'files:file:_files'
		[[ $words[2] != -* ]] && return
	fi
	local -a stop=(
		'--record[with the flight recorder]'
		'--allocs[record also who makes and grows maps]' '--reads[record also who reads maps]'
		'--hold[leave the process stopped at the fatal error]'
		'--core[write a core of that moment]:file:_files'
		'--source-root[where the sources are]:directory:_files -/'
	)
	case $words[2] in
	run) _arguments $output $stop '*::program:_normal' ;;
	attach)
		_arguments $output $stop '(-p --pid)'{-p,--pid}'[of this process]:pid:_pids' \
			'--fail-on[exit with 1 from this level on]:level:(possible likely proven)' ;;
	watch)
		_arguments $output '(-p --pid)'{-p,--pid}'[of this process]:pid:_pids' '(--type)--map[the map at this address]:address:' \
			'(--map)--type[the only map of this type]:type:' '--events[end after so many events]:number:' \
			'--seconds[end after so many seconds]:number:' '--source-root[where the sources are]:directory:_files -/' ;;
	detach) _arguments '(-p --pid)'{-p,--pid}'[of this process]:pid:_pids' ;;
	goroutines)
		_arguments $output '(-a --all)'{-a,--all}'[each one by itself]' \
			'--blocked[only what they wait for]' \
			"--system[the runtime's own as well]" '(-p --pid)'{-p,--pid}'[of this process]:pid:_pids' '*:file:_files' ;;
	map)
		_arguments $output '--values[show keys]' '--limit[at most N keys]:number:' \
			'*:file:_files' ;;
	record) _arguments $output '(-p --pid)'{-p,--pid}'[record this running process]:pid:_pids' '--remove[take the recorder out again]' '--keep[keep the record]' '--allocs[record also who makes and grows maps]' '--reads[record also who reads maps]' '--report-shared[list maps that several goroutines wrote]' '--folder[where the record goes]:folder:_directories' '*::program:_normal' ;;
	growth) _arguments $output '(-a --all)'{-a,--all}'[every site]' '*:file:_files' ;;
	sites) _arguments $output "--system[the runtime's own as well]" '*:file:_files' ;;
	goroutine | maps)
		_arguments $output '(-p --pid)'{-p,--pid}'[of this process]:pid:_pids' '*:file:_files' ;;
	explain) _arguments $output '*:file:_files' ;;
	repro)
		_arguments '(-o --output)'{-o,--output}'[the folder to make]:directory:_files -/' \
			'--run[build and run it, compare, try the fixes]' \
			'--source[call the functions of this module]:directory:_files -/' '--seconds[how long to try for]:number:' \
			'--download[let the go command fetch Go releases]' '(-j --json)'{-j,--json}'[print the report]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no notes]' '(-h --help)'{-h,--help}'[help]' '*:file:_files' ;;
	sensitivity)
		_arguments '(-o --output)'{-o,--output}'[keep what was measured]:directory:_files -/' \
			'--go[Go releases]:range:' '--runs[of each race in each setting]:number:' \
			'--minutes[how long it may take]:number:' '--svg[draw a chart]:file:_files' \
			'--download[let the go command fetch Go releases]' '(-j --json)'{-j,--json}'[everything as JSON]' \
			'(-q --quiet)'{-q,--quiet}'[no progress]' '(-h --help)'{-h,--help}'[help]' ;;
	doctor)
		_arguments $output '(-p --pid)'{-p,--pid}'[look at this process]:pid:_pids' \
			'--root[look at the machine under this directory]:directory:_files -/' \
			'*:file:_files' ;;
	version) _arguments '(-j --json)'{-j,--json}'[all that this build knows]' ;;
	help) _describe command commands ;;
	*)
		_arguments $output '--source-root[where the sources are]:directory:_files -/' \
			'--fail-on[exit with 1 from this level on]:level:(possible likely proven)' \
			'*:file:_files' ;;
	esac
}

_mapfault "$@"

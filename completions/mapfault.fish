# SPDX-License-Identifier: Apache-2.0
# Completion of mapfault's commands and options for fish.

set -l commands diagnose goroutines goroutine maps map sites explain doctor version help

complete -c mapfault -n __fish_use_subcommand -a diagnose -d "name the map, both goroutines and both lines"
complete -c mapfault -n __fish_use_subcommand -a goroutines -d "list goroutines, grouped by equal stacks"
complete -c mapfault -n __fish_use_subcommand -a goroutine -d "show one goroutine"
complete -c mapfault -n __fish_use_subcommand -a maps -d "list the maps that globals and stacks reach"
complete -c mapfault -n __fish_use_subcommand -a map -d "show one map"
complete -c mapfault -n __fish_use_subcommand -a sites -d "list every map operation in a program's code"
complete -c mapfault -n __fish_use_subcommand -a explain -d "tell the reasoning behind a report"
complete -c mapfault -n __fish_use_subcommand -a doctor -d "say what a crash would leave behind today"
complete -c mapfault -n __fish_use_subcommand -a version -d "show the version"
complete -c mapfault -n __fish_use_subcommand -a help -d "show what a command does"
complete -c mapfault -n "__fish_seen_subcommand_from help" -f -a "$commands"

complete -c mapfault -s j -l json -d "the same as --format json"
complete -c mapfault -l format -x -a "text json" -d "text or json"
complete -c mapfault -l color -x -a "auto always never" -d "when to colour"
complete -c mapfault -s o -l output -r -d "write to a file"
complete -c mapfault -s q -l quiet -d "no progress, no notes"
complete -c mapfault -s h -l help -d "help"
complete -c mapfault -n "not __fish_seen_subcommand_from explain doctor version help" -l force -d "go on although core and binary do not belong together"
complete -c mapfault -n "not __fish_seen_subcommand_from $commands[2..-1]" -l source-root -x -a "(__fish_complete_directories)" -d "where the sources are"
complete -c mapfault -n "not __fish_seen_subcommand_from $commands[2..-1]" -l fail-on -x -a "possible likely proven" -d "exit with 1 from this level on"
complete -c mapfault -n "__fish_seen_subcommand_from goroutines" -s a -l all -d "each one by itself"
complete -c mapfault -n "__fish_seen_subcommand_from goroutines sites" -l system -d "the runtime's own as well"
complete -c mapfault -n "__fish_seen_subcommand_from map" -l values -d "show keys"
complete -c mapfault -n "__fish_seen_subcommand_from map" -l limit -x -d "at most N keys"
complete -c mapfault -n "__fish_seen_subcommand_from doctor" -s p -l pid -x -a "(__fish_complete_pids)" -d "look at this process"
complete -c mapfault -n "__fish_seen_subcommand_from doctor" -l root -x -a "(__fish_complete_directories)" -d "look at the machine under this directory"

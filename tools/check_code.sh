#!/bin/sh
# What can be said of the code without running it. Ends with 1 when something is wrong.
#   tools/check_code.sh            the gates
#   tools/check_code.sh --analyze  then also what the compilers' analyzers suspect; of leaks, which both misread where
#                                  an attribute frees, LeakSanitizer tells in the unit tests
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
jobs=$(nproc)

say() { # what was checked, its status
	[ "$2" -eq 0 ] && return
	echo "check_code: $1" >&2
	failed=1
}

flags="-std=gnu17 -D_GNU_SOURCE -DMAPFAULT_VERSION=\"check\" -Isrc -include src/base/banned.h
-Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wmissing-prototypes
-Wno-unused-parameter -Wno-missing-field-initializers
$(pkg-config --cflags glib-2.0 jansson capstone libelf libdw)"

each_source() { # a command that takes one file last
	git ls-files 'src/*.c' | xargs -P "$jobs" -I{} "$@" {}
}

first_of() { # the first of these programs that is there
	for name; do
		command -v "$name" && return
	done
}

format=$(first_of clang-format-14 clang-format)
clang=$(first_of clang-14 clang)

if [ -n "$format" ]; then
	git ls-files '*.c' '*.h' | xargs "$format" --dry-run -Werror
	say "some files are not formatted: make format" $?
fi
tools/check_rooms.py && tools/check_size.py
say "rooms or sizes" $?

# Work that is not done, and places of one machine, have no business in a product.
! git grep -nIE '\b(TODO|FIXME|XXX|HACK)\b' -- '*.c' '*.h' '*.py' '*.go' '*.md' '*.scd' Makefile
say "unfinished work" $?
! git grep -nIE '(^|[^a-zA-Z0-9_.$}])/tmp/' -- '*.md' '*.scd' src completions schema
say "a machine's own path" $?
# Not in test data either, where escapes may stand before it and other bytes around it.
! git grep -naE '/(work|root)/' -- ':!tools/check_code.sh'
say "a machine's own path" $?

for compiler in gcc $clang; do
	# shellcheck disable=SC2086
	each_source "$compiler" $flags -Werror -fsyntax-only
	say "warnings of $compiler" $?
done

if [ "${1-}" = --analyze ]; then
	# shellcheck disable=SC2086
	! each_source gcc $flags -O1 -fanalyzer -Wno-analyzer-malloc-leak -c -o /dev/null 2>&1 | grep 'warning:'
	say "the analyzer of gcc" $?
	# shellcheck disable=SC2086
	[ -z "$clang" ] || ! each_source "$clang" --analyze --analyzer-output text -Xclang \
		-analyzer-disable-checker -Xclang unix.Malloc $flags 2>&1 | grep 'warning:'
	say "the analyzer of clang" $?
fi
exit $failed

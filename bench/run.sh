#!/usr/bin/env bash
# Measures mapfault on large cores of bench/bigcore, next to Delve where `dlv` is installed:
#   bench/run.sh [ROUNDS]
# BIGCORE_SIZES="GOROUTINES:GIB ..." and BIGCORE_VERSIONS choose what is made; some 6 GB in TMPDIR.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mapfault=$(realpath "${MAPFAULT:-$here/../build/mapfault}")
sizes=${BIGCORE_SIZES:-10000:0.9 100000:3.6}
versions=${BIGCORE_VERSIONS:-1.22.12 1.26.8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $(cat /proc/sys/kernel/core_pattern) in
core | core.%p) ;;
*) echo "bench: the kernel sends cores elsewhere (kernel.core_pattern); the bench needs 'core'" >&2; exit 1 ;;
esac
ulimit -c unlimited
echo '| Go | goroutines | core | what | CPU, least | CPU, median | memory |'
echo '|---|---|---|---|---|---|---|'
for version in $versions; do
	for size in $sizes; do
		dir=$work/$version-${size/:/-}
		mkdir "$dir"
		cp "$here/bigcore/main.go" "$dir/"
		printf 'module bigcore\n\ngo 1.21\n' >"$dir/go.mod" # outside a module GOTOOLCHAIN is ignored
		(cd "$dir" && GOFLAGS='' GO111MODULE=on GOTOOLCHAIN=go$version go build -o app .)
		(cd "$dir" && { GOTRACEBACK=crash ./app -goroutines "${size%:*}" -heap "${size#*:}" \
			>crash.txt 2>&1; } 2>/dev/null) || true
		"$here/measure.py" --mapfault "$mapfault" --rounds "${1:-5}" \
			--label "$version | ${size%:*}" "$dir"/core* "$dir/app"
		rm -rf "$dir"
	done
done

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
	root=$(python3 "$here/../tests/e2e/toolchain.py" "$version")
	for size in $sizes; do
		dir=$work/$version-${size/:/-}
		mkdir "$dir"
		cp "$here/bigcore/main.go" "$dir/"
		(cd "$dir" && GOENV=off GOFLAGS='' GO111MODULE=off GOTOOLCHAIN=local GOROOT=$root \
			"$root/bin/go" build -o app main.go)
		(cd "$dir" && { GOTRACEBACK=crash ./app -goroutines "${size%:*}" -heap "${size#*:}" \
			>crash.txt 2>&1; } 2>/dev/null) || true
		"$here/measure.py" --mapfault "$mapfault" --rounds "${1:-5}" \
			--label "$version | ${size%:*}" "$dir"/core* "$dir/app"
		rm -rf "$dir"
	done
done

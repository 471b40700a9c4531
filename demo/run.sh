#!/usr/bin/env bash
# Builds the bundled Go program, lets it crash with a core, and asks mapfault whose fault it was.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mapfault=$(realpath "${1:-build/mapfault}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/store"
cp "$here/store.go" "$work/store/"
cd "$work/store"
GO111MODULE=off go build -o app store.go
ulimit -c unlimited
case $(cat /proc/sys/kernel/core_pattern) in
core | core.%p) ;;
*) echo "demo: the kernel sends cores elsewhere (kernel.core_pattern); the demo needs 'core'" >&2; exit 1 ;;
esac
echo '$ GOTRACEBACK=crash ./app'
for _ in 1 2 3; do
	{ GOTRACEBACK=crash ./app >crash.txt 2>&1; } 2>/dev/null || true
	grep -q '^fatal error: concurrent map' crash.txt && break
done
grep -m 1 '^fatal error' crash.txt
core=$(ls core*)
echo '$ mapfault core ./app'
"$mapfault" "$core" ./app

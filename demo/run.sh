#!/usr/bin/env bash
# Builds the bundled Go program, lets it crash with a core, and asks mapfault whose fault it was.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mapfault=$(realpath "${1:-build/mapfault}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# -trimpath would hide where the source is; the copy keeps the module away from any go.mod above
cp "$here/store.go" "$work/main.go"
cd "$work"
GO111MODULE=off go build -o app main.go
ulimit -c unlimited
case $(cat /proc/sys/kernel/core_pattern) in
core | core.%p) ;;
*) echo "demo: the kernel sends cores elsewhere (kernel.core_pattern); the demo needs 'core'" >&2; exit 1 ;;
esac
echo '$ GOTRACEBACK=crash ./app'
for _ in 1 2 3; do
	GOTRACEBACK=crash ./app >crash.txt 2>&1 || true
	grep -q '^fatal error: concurrent map' crash.txt && break
done
grep -m 1 '^fatal error' crash.txt
core=$(ls core*)
echo '$ mapfault core ./app'
"$mapfault" "$core" ./app

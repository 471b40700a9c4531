#!/usr/bin/env bash
# Reads and adds up a large heap profile, next to `go tool pprof -raw`:
#   bench/profiles.sh [ROUNDS]
# Rows of a Markdown table: CPU time and memory of each.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mapfault=$(realpath "${MAPFAULT:-$here/../build/mapfault}")
version=${BIGPROFILE_VERSION:-1.26.8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

root=$(python3 "$here/../tests/e2e/toolchain.py" "$version")
go() { (cd "$work" && GOENV=off GOFLAGS='' GO111MODULE=off GOTOOLCHAIN=local GOROOT=$root "$root/bin/go" "$@"); }
cp "$here/bigprofile/main.go" "$work/"
go build -o app main.go
"$work/app" "$work/heap.pb.gz" "${BIGPROFILE_BITS:-18}"
go tool pprof -raw heap.pb.gz >/dev/null 2>&1 # builds pprof, where the release has it as source only
pprof=$(go tool -n pprof)
echo "profile: $(stat -c %s "$work/heap.pb.gz") bytes, $(gunzip -c "$work/heap.pb.gz" | wc -c) inflated"
"$here/measure_profile.py" --rounds "${1:-5}" "$mapfault" "$pprof" "$work/heap.pb.gz" "$work/app"

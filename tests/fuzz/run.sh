#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every target (or those named) for SECONDS_EACH, 60 unless told, and stops at the first finding.
# New inputs go to build-fuzz/found/NAME, a crashing one to build-fuzz/crash-NAME-*.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build-fuzz}
[ -d "$build" ] || CC=clang meson setup -Dfuzz=true "$build"
ninja -C "$build" $(sed -n "s/^  \['\([a-z_0-9]*\)',.*/tests\/fuzz\/fuzz_\1/p" tests/fuzz/meson.build)
for name in ${*:-$(sed -n "s/^  \['\([a-z_0-9]*\)',.*/\1/p" tests/fuzz/meson.build)}; do
	mkdir -p "$build/found/$name"
	"$build/tests/fuzz/fuzz_$name" -max_total_time="${SECONDS_EACH:-60}" -max_len=16384 -timeout=10 \
		-rss_limit_mb=2048 -artifact_prefix="$build/crash-$name-" -print_final_stats=1 \
		"$build/found/$name" "tests/fuzz/corpus/$name"
done

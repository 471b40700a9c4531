#!/usr/bin/env bash
# Installs what building and testing mapfault needs on Debian 12. Safe to run again: it only adds what is missing.
set -eu

packages="
build-essential pkg-config meson ninja-build git ca-certificates
libelf-dev libdw-dev libcapstone-dev libzstd-dev liblz4-dev liblzma-dev zlib1g-dev libglib2.0-dev libjansson-dev libdeflate-dev libyaml-dev
libcmocka-dev libbz2-dev
clang libclang-rt-14-dev clang-format scdoc man-db
python3 python3-pytest python3-jsonschema
gdb qemu-user zstd lz4 xz-utils binutils
"
command -v go >/dev/null || packages="$packages golang-go"

missing=
for package in $packages; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo apt-get install -q -y --no-install-recommends $missing

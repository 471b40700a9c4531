#!/usr/bin/env bash
# What the flight recorder costs nats-server and prometheus, as Debian builds them, beside a nats-server with the race
# detector:
#   bench/record_servers.sh [ROUNDS]
# 60 rounds take six minutes. The programs are fetched and built once, into build/servers or $SERVERS; nothing is installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
servers=$(realpath -m "${SERVERS:-$here/../build/servers}")
rounds=${1:-60}
mkdir -p "$servers"
cd "$servers"
if [ ! -x usr/sbin/nats-server ] || [ ! -x usr/bin/prometheus ]; then
	apt-get download nats-server prometheus
	for package in ./*.deb; do dpkg -x "$package" .; done
fi
if [ ! -x race/nats-server ]; then
	version=$(dpkg-deb -f nats-server_*.deb Version | sed 's/-.*//')
	GOBIN=$servers/race GOFLAGS=-mod=mod go install -race "github.com/nats-io/nats-server/v2@v$version"
fi
exec "$here/record_servers.py" --nats "$servers/usr/sbin/nats-server" --nats-race "$servers/race/nats-server" \
	--prometheus "$servers/usr/bin/prometheus" --rounds "$rounds"

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the flight recorder costs two real servers under load: prometheus (scraped by itself, queried) and nats-server (clients
that subscribe, publish and unsubscribe).

    bench/record_servers.py --nats nats-server --prometheus prometheus
    bench/record_servers.py --nats nats-server --nats-race ./nats-server-race --rounds 20

All variants of a server run side by side; short spells of load go to one after the other, round after round, so that what
else the machine does meets all alike. Shown are the median of the rounds' own differences in throughput and p99, the
server's processor time for a request over all rounds, and, where there is perf, how much of its processor time, the kernel's
part included, the server spends in the recorder's code: that figure does not depend on what else the machine does.
"""

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from judge import mapfault_path  # noqa: E402

QUERIES = ["query?query=up", "query?query=rate(go_gc_duration_seconds_count[1m])", "labels", "series?match[]=up",
           "query?query=sum+by+(handler)(prometheus_http_requests_total)", "query?query=topk(5,scrape_samples_scraped)"]
CONFIG = """global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
"""
READY_SECONDS = 60
PROFILED_SECONDS = 5


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """A server that runs, its load, and what was measured of it."""

    def __init__(self, variant, command, load, port, folder):
        recorder = [str(mapfault_path()), "record", "-q", "--"] if variant == "recorded" else []
        self.variant, self.load, self.port = variant, load, port
        self.process = subprocess.Popen([*recorder, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        self.pid = self.process.pid
        self.rows, self.spent, self.requests = [], 0.0, 0

    def wait(self):
        end = time.time() + READY_SECONDS
        while time.time() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        if self.variant == "recorded":
            self.pid = int(pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        lines = pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def own_code(self):
        """Where the recorder's code stands: the last code before its record."""
        lines = pathlib.Path(f"/proc/{self.pid}/maps").read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if ".flight" in line)
        code = next(line for line in reversed(lines[:at]) if "r-xp" in line)
        return [int(word, 16) for word in code.split()[0].split("-")]

    def share_of_recorder(self):
        if self.variant != "recorded" or not shutil.which("perf"):
            return None
        begin, end = self.own_code()
        with tempfile.TemporaryDirectory() as folder:
            samples = f"{folder}/perf.data"
            perf = subprocess.Popen(["perf", "record", "-q", "-o", samples, "-p", str(self.pid), "--", "sleep", str(PROFILED_SECONDS)],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while perf.poll() is None:
                self.spell()
            addresses = subprocess.run(["perf", "script", "-i", samples, "-F", "ip"], text=True, capture_output=True).stdout.split()
        inside = sum(begin <= int(address, 16) < end for address in addresses)
        return 100 * inside / len(addresses) if addresses else None

    def spell(self):
        before = self.seconds()
        out = subprocess.run(self.load, text=True, capture_output=True, check=True).stdout
        row = {name: int(value) for name, value in (line.split() for line in out.splitlines())}
        self.spent += self.seconds() - before
        self.requests += row["requests"]
        self.rows.append(row)


def nats(variant, program, options, loader, folder):
    port = free_port()
    return Server(variant, [program, "-a", "127.0.0.1", "-p", str(port)],
                  [loader, "nats", str(options.seconds), str(options.connections), f"127.0.0.1:{port}"], port, folder)


def prometheus(variant, program, options, loader, folder):
    port = free_port()
    (folder / "config.yml").write_text(CONFIG.format(port=port))
    urls = [f"http://127.0.0.1:{port}/api/v1/{query}" for query in QUERIES] + [f"http://127.0.0.1:{port}/metrics"]
    return Server(variant, [program, f"--web.listen-address=127.0.0.1:{port}", f"--config.file={folder}/config.yml",
                            f"--storage.tsdb.path={folder}/data"],
                  [loader, "http", str(options.seconds), str(options.connections), *urls], port, folder)


def percent(servers, what, variant):
    mine, base = (next(s for s in servers if s.variant == v) for v in (variant, "untouched"))
    return statistics.median((m[what] / b[what] - 1) * 100 for m, b in zip(mine.rows, base.rows))


def show(name, servers):
    print(f"\n| {name} | requests/s | p50 us | p99 us | throughput | p99 | processor us a request | MiB resident |")
    print("|---|---|---|---|---|---|---|---|")
    for server in servers:
        def middle(what, server=server):
            return statistics.median(row[what] for row in server.rows)
        change = ["", ""] if server.variant == "untouched" else [
            f"{percent(servers, what, server.variant):+.1f} %" for what in ("requests", "p99_us")]
        print(f"| {server.variant} | {middle('requests') / server.seconds_each:.0f} | {middle('p50_us'):.0f} | "
              f"{middle('p99_us'):.0f} | {change[0]} | {change[1]} | {server.spent / server.requests * 1e6:.2f} | "
              f"{server.resident_mib():.0f} |", flush=True)
    for server in servers:
        share = server.share_of_recorder()
        if share is not None:
            print(f"\nIn the recorder's code: {share:.1f} % of the server's processor time", flush=True)


def bench(name, start, programs, options, loader):
    servers = []
    with tempfile.TemporaryDirectory() as top:
        try:
            for variant, program in programs.items():
                folder = pathlib.Path(top) / variant
                folder.mkdir()
                servers.append(start(variant, program, options, loader, folder))
            for server in servers:
                server.wait()
                server.seconds_each = options.seconds
            time.sleep(3)
            for server in servers:
                server.spell()
            for server in servers:
                server.rows, server.spent, server.requests = [], 0.0, 0
            for round_number in range(options.rounds):
                for server in servers if round_number % 2 else servers[::-1]:
                    server.spell()
            show(name, servers)
        finally:
            for server in servers:
                try:
                    os.kill(server.pid, 15)
                except ProcessLookupError:
                    pass
                server.process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--nats", help="the server's program")
    parser.add_argument("--nats-race", help="the same built with -race")
    parser.add_argument("--prometheus", help="the server's program")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        loader = f"{folder}/load"
        subprocess.run(["go", "build", "-o", loader, "main.go"], cwd=ROOT / "bench" / "load", check=True,
                       env={**os.environ, "GO111MODULE": "off"})
        if options.nats:
            programs = {"untouched": options.nats, "recorded": options.nats}
            if options.nats_race:
                programs["-race"] = options.nats_race
            bench("nats-server", nats, programs, options, loader)
        if options.prometheus:
            bench("prometheus", prometheus, {"untouched": options.prometheus, "recorded": options.prometheus}, options, loader)


if __name__ == "__main__":
    main()

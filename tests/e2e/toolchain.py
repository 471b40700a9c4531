# SPDX-License-Identifier: Apache-2.0
"""Go toolchains of every version, and fixtures built with them.

A toolchain is the Go module golang.org/toolchain@v0.0.1-go<version>.<os>-<arch>, fetched by the go
command itself into its module cache. Programs are kept under a name that is the hash of everything
that went into them, in build/fixtures or $MAPFAULT_CACHE.
"""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

from fixture import FIXTURES, ROOT, minor, version_key

CACHE = pathlib.Path(os.environ.get("MAPFAULT_CACHE", ROOT / "build" / "fixtures"))
TRUTH = FIXTURES / "truth.go"
BUILD_SECONDS = 900

# variant: (flags, first Go version that has it, needs cgo)
VARIANTS = {
    "default": ([], "1.9", False),
    "stripped": (["-ldflags=-s -w"], "1.9", False),
    "pie": (["-buildmode=pie"], "1.9", False),
    "pie-stripped": (["-buildmode=pie", "-ldflags=-s -w"], "1.9", False),
    "trimpath": (["-trimpath"], "1.13", False),
    "cgo": (["-ldflags=-linkmode=external"], "1.9", True),
    "cgo-stripped": (["-ldflags=-linkmode=external -s -w"], "1.9", True),
}


# No build that anybody's crashes come from: it tells the truth about a fixture. Fixtures look up fields
# of other packages by address, which checkptr takes amiss.
BUILDS = {**VARIANTS, "race": (["-race", "-gcflags=all=-d=checkptr=0"], "1.14", True)}


class BuildError(Exception):
    """A fixture or toolchain could not be had; the text says why."""


def platform():
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    return f"linux-{machine}"


def module_cache():
    if "GOMODCACHE" in os.environ:
        return pathlib.Path(os.environ["GOMODCACHE"])
    gopath = os.environ.get("GOPATH", str(pathlib.Path.home() / "go")).split(":")[0]
    return pathlib.Path(gopath) / "pkg" / "mod"


def toolchain_folder(version):
    return module_cache() / f"golang.org/toolchain@v0.0.1-go{version}.{platform()}"


def toolchain_repair(folder):
    """A module's files are unpacked without the executable bit, and its inner go.mod under another name."""
    for where in ("bin", "pkg/tool"):
        for path in (folder / where).rglob("*"):
            if path.is_file() and not path.stat().st_mode & stat.S_IXUSR:
                path.parent.chmod(0o755)
                path.chmod(0o755)
    for name in ("src", "src/cmd"):
        hidden, wanted = folder / name / "_go.mod", folder / name / "go.mod"
        if hidden.exists() and not wanted.exists():
            hidden.parent.chmod(0o755)
            shutil.copyfile(hidden, wanted)


def toolchain_get(version):
    """The GOROOT of a version, fetched when it is not here yet."""
    folder = toolchain_folder(version)
    if not (folder / "bin" / "go").exists():
        module = f"golang.org/toolchain@v0.0.1-go{version}.{platform()}"
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(
                ["go", "mod", "download", "-json", module], cwd=empty, text=True,
                capture_output=True, timeout=BUILD_SECONDS,
                env={**os.environ, "GOFLAGS": "-mod=mod", "GO111MODULE": "on"})
        if done.returncode != 0:
            raise BuildError(f"go {version} could not be fetched: {done.stderr or done.stdout}")
        folder = pathlib.Path(json.loads(done.stdout)["Dir"])
    toolchain_repair(folder)
    return folder


def go_environment(version, folder, cgo):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GO", "CGO_"))}
    env.update(GOENV="off", GOFLAGS="", GOTOOLCHAIN="local", GOROOT=str(folder), GO111MODULE="off",
               GOPATH=str(CACHE / "gopath"), GOMODCACHE=str(module_cache()),
               GOCACHE=str(CACHE / "gocache" / version), CGO_ENABLED="1" if cgo else "0")
    if minor(version) == (1, 19):
        # Its package index takes a GOROOT inside the module cache for a module without packages.
        env["GODEBUG"] = "goindex=0"
    for name in ("GOPROXY", "GONOSUMDB", "GOSUMDB", "GONOSUMCHECK", "GOPRIVATE"):
        if name in os.environ:
            env[name] = os.environ[name]
    if cgo:
        # Old versions of cgo read no DWARF 5, the default of today's compilers.
        env["CGO_CFLAGS"] = "-O1 -gdwarf-4"
    return env


def variant_fits(fixture, version, variant):
    _, since, _ = VARIANTS[variant]
    if minor(version) < version_key(since)[:2]:
        return False
    if fixture.cgo and variant in ("pie", "pie-stripped") and minor(version) < (1, 11):
        return False
    return True


def sources_of(fixture):
    """Its own files, packages below it included, and the voice that all share."""
    names = sorted(p for p in fixture.folder.rglob("*") if p.suffix in (".go", ".c", ".h")
                   or p.name in ("go.mod", "go.sum"))
    return names + [TRUTH]


def place_of(fixture, path):
    """Where a source file stands in the program's folder."""
    return pathlib.Path(path.name) if path == TRUTH else path.relative_to(fixture.folder)


def build_key(fixture, version, variant, settings=None):
    digest = hashlib.sha256(f"{version} {BUILDS[variant]} {fixture.cgo}".encode())
    digest.update("".join(f" {k}={v}" for k, v in sorted((settings or {}).items())).encode())
    for path in sources_of(fixture):
        digest.update(str(place_of(fixture, path)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


def sources_stage(fixture):
    """Copy a fixture next to truth.go; the folder is part of the paths inside the program."""
    digest = hashlib.sha256()
    for path in sources_of(fixture):
        digest.update(str(place_of(fixture, path)).encode() + b"\0" + path.read_bytes())
    folder = CACHE / "src" / f"{fixture.name}-{digest.hexdigest()[:8]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
        for path in sources_of(fixture):
            target = fresh / place_of(fixture, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        fresh.chmod(0o755)
        try:
            fresh.rename(folder)
        except OSError:
            shutil.rmtree(fresh)  # another job was first
    return folder


def program_build(fixture, version, variant="default", **settings):
    """The path of the fixture's program, built now or before; `settings` are GOARCH=, GOEXPERIMENT= and such."""
    key = build_key(fixture, version, variant, settings)
    folder = CACHE / "bin" / f"{fixture.name}-{version}-{variant}-{key}"
    program = folder / "app"
    if program.exists():
        return program
    flags, _, needs_cgo = BUILDS[variant]
    cgo = fixture.cgo or needs_cgo
    go_folder = toolchain_get(version)
    env = go_environment(version, go_folder, cgo or (variant.startswith("pie") and
                                                     minor(version) < (1, 15)))
    env.update(settings)
    if fixture.is_module:
        env["GO111MODULE"] = "on"
        # Modules land in the module cache that every go command of this machine shares.
        if minor(version) < (1, 15):
            env["GOPATH"] = str(module_cache().parent.parent)
    source = sources_stage(fixture)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"app.{os.getpid()}"
    done = subprocess.run([str(go_folder / "bin" / "go"), "build", *flags, "-o", str(fresh), "."],
                          cwd=source, env=env, text=True, capture_output=True,
                          timeout=BUILD_SECONDS)
    if done.returncode != 0:
        raise BuildError(f"{fixture.name} go{version} {variant}: {done.stderr[-2000:]}")
    fresh.rename(program)
    return program


def module_folder(module):
    """Where the module cache keeps `path@version`; capitals are written as !lower there."""
    escaped = "".join("!" + c.lower() if c.isupper() else c for c in module)
    return module_cache() / escaped


if __name__ == "__main__":
    import sys

    print(toolchain_get(sys.argv[1]))

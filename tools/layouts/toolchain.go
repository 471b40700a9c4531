// SPDX-License-Identifier: Apache-2.0
// Go toolchains: fetched as modules, run without any setting of the user's.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// release is a Go release, such as 1.22.12.
type release struct {
	text         string
	minor, patch int
}

func parseRelease(text string) (release, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[0] != "1" {
		return release{}, fmt.Errorf("%q is not 1.MINOR.PATCH", text)
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return release{}, err
	}
	patch, err := strconv.Atoi(parts[2])
	if err != nil {
		return release{}, err
	}
	return release{text, minor, patch}, nil
}

// readReleases reads the project's Go matrix: one release a line, # starts a comment.
func readReleases(path string) ([]release, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var releases []release
	for _, line := range strings.Split(string(data), "\n") {
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		parsed, err := parseRelease(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %v", path, err)
		}
		if n := len(releases); n > 0 && releases[n-1].minor >= parsed.minor {
			return nil, fmt.Errorf("%s: %s: one release per minor, oldest first", path, line)
		}
		releases = append(releases, parsed)
	}
	return releases, nil
}

// toolchain is an unpacked Go distribution.
type toolchain struct {
	release
	root  string // its GOROOT
	cache string // its GOCACHE: releases do not share one, old ones misread newer entries
}

// fetchToolchain finds the release in the module cache or downloads it.
func fetchToolchain(r release, cache string) (*toolchain, error) {
	module := fmt.Sprintf("golang.org/toolchain@v0.0.1-go%s.linux-%s", r.text, runtime.GOARCH)
	download := exec.Command("go", "mod", "download", "-json", module)
	download.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local",
		"GO111MODULE=on")
	download.Dir = os.TempDir() // outside any module
	var stderr bytes.Buffer
	download.Stderr = &stderr
	out, err := download.Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download %s: %v\n%s%s", module, err, out, stderr.Bytes())
	}
	var answer struct{ Dir string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, err
	}
	if err := makeExecutable(answer.Dir); err != nil {
		return nil, err
	}
	return &toolchain{r, answer.Dir, filepath.Join(cache, "go"+r.text)}, nil
}

// makeExecutable sets the execute bits that module archives do not carry.
func makeExecutable(root string) error {
	var programs []string
	for _, pattern := range []string{"bin/*", "pkg/tool/*/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		programs = append(programs, found...)
	}
	for _, program := range programs {
		info, err := os.Stat(program)
		if err != nil {
			return err
		}
		if info.Mode()&0o111 == 0 {
			if err := os.Chmod(program, 0o555); err != nil {
				return err
			}
		}
	}
	return nil
}

// environment is the same on every machine: a release of Go with its defaults, for linux.
func (t *toolchain) environment(arch string) []string {
	return append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GO111MODULE=off",
		"GOEXPERIMENT=", "GOROOT="+t.root, "GOCACHE="+t.cache, "GOOS=linux", "GOARCH="+arch,
		"CGO_ENABLED=0")
}

// build compiles source for an architecture and returns the path of the program.
func (t *toolchain) build(source, arch, scratch string) (string, error) {
	program := filepath.Join(scratch, fmt.Sprintf("sample-go%s-%s", t.text, arch))
	build := exec.Command(filepath.Join(t.root, "bin", "go"), "build", "-o", program, source)
	build.Env = append(t.environment(arch), "GOPATH="+scratch)
	build.Dir = scratch
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go%s build for %s: %v\n%s", t.text, arch, err, out)
	}
	return program, nil
}

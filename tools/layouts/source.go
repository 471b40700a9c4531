// SPDX-License-Identifier: Apache-2.0
// The source text of a release: the files of its default build, parsed.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// pkg is a parsed package of the standard library.
type pkg struct {
	path  string
	set   *token.FileSet
	files []*ast.File
}

// goFiles lists the files that the release compiles into a package by default; none when it has no
// such package. The release's own go command decides, so build tags and experiments are its own.
func (t *toolchain) goFiles(path string) ([]string, error) {
	folder := filepath.Join(t.root, "src", filepath.FromSlash(path))
	if _, err := os.Stat(folder); os.IsNotExist(err) {
		return nil, nil
	}
	list := exec.Command(filepath.Join(t.root, "bin", "go"), "list", "-f",
		`{{range .GoFiles}}{{.}}{{"\n"}}{{end}}`, path)
	list.Env = append(t.environment("amd64"), "GOPATH="+os.TempDir())
	list.Dir = os.TempDir()
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go%s list %s: %v\n%s", t.text, path, err, stderr.Bytes())
	}
	names := strings.Fields(string(out))
	sort.Strings(names)
	for i := range names {
		names[i] = filepath.Join(folder, names[i])
	}
	return names, nil
}

// parse reads the files of a package whose base name passes the filter.
func (t *toolchain) parse(path string, filter func(base string) bool) (*pkg, error) {
	names, err := t.goFiles(path)
	if err != nil {
		return nil, err
	}
	p := &pkg{path: path, set: token.NewFileSet()}
	for _, name := range names {
		if !filter(filepath.Base(name)) {
			continue
		}
		file, err := parser.ParseFile(p.set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.files = append(p.files, file)
	}
	return p, nil
}

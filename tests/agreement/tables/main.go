// SPDX-License-Identifier: Apache-2.0

// Command tables says what the runtime and reflect know about this very program, for comparison with
// what is read from its binary: positions of the PCs given on standard input (hex), the logical stack
// of a chain of inlined calls, and a set of types. It compiles with Go 1.9.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strconv"
)

type base struct {
	sync  int32
	Name  string `json:"name"`
	links map[string]*node
}

type node struct {
	next, prev *node
	kids       []*node
	owner      *holder
}

type holder struct {
	base
	*node
	_       [0]func()
	small   map[int8]bool
	big     map[[40]int]*[200]byte
	huge    map[string][200]byte
	nested  map[string]map[int]chan<- struct{ A, B int }
	array   [7]base
	in      <-chan node
	any     interface{}
	headers http.Header
	call    func(int, ...string) error
}

//go:noinline
func callers() []uintptr {
	pcs := make([]uintptr, 64)
	return pcs[:runtime.Callers(1, pcs)]
}

func inner(n int) []uintptr  { return callers() }
func middle(n int) []uintptr { return inner(n + 1) }
func outer(n int) []uintptr  { return middle(n * 2) }

type chain struct{ n int }

func (c *chain) step() []uintptr { return outer(c.n) }

func printStack(pcs []uintptr) {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		fmt.Printf("stack %#x %s %s:%d\n", f.PC, f.Function, f.File, f.Line)
		if !more {
			return
		}
	}
}

func printPositions() {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		pc, err := strconv.ParseUint(in.Text(), 0, 64)
		if err != nil {
			panic(err)
		}
		f, _ := runtime.CallersFrames([]uintptr{uintptr(pc) + 1}).Next()
		fmt.Fprintf(out, "at %#x %s %s:%d\n", pc, f.Function, f.File, f.Line)
	}
}

func fullName(t reflect.Type) string {
	if t.Name() != "" && t.PkgPath() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return ""
}

func printType(t reflect.Type, seen map[reflect.Type]bool, lines *[]string) {
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	*lines = append(*lines, fmt.Sprintf("type %s | %s | %d", t, fullName(t), t.Size()))
	switch t.Kind() {
	case reflect.Map:
		*lines = append(*lines, fmt.Sprintf("map %s | %s | %s", t, t.Key(), t.Elem()))
		printType(t.Key(), seen, lines)
		printType(t.Elem(), seen, lines)
	case reflect.Ptr, reflect.Slice, reflect.Array, reflect.Chan:
		printType(t.Elem(), seen, lines)
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			embedded := 0
			if f.Anonymous {
				embedded = 1
			}
			*lines = append(*lines, fmt.Sprintf("field %s | %s | %d | %s | %d", t, f.Name, f.Offset, f.Type, embedded))
			printType(f.Type, seen, lines)
		}
	}
}

func main() {
	printPositions()
	printStack((&chain{len(os.Args)}).step())
	var lines []string
	seen := map[reflect.Type]bool{}
	printType(reflect.TypeOf(new(holder)), seen, &lines)
	printType(reflect.TypeOf(map[string]*http.Server{}), seen, &lines)
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
}

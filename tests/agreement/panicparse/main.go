// SPDX-License-Identifier: Apache-2.0
// Reads goroutine dumps with panicparse's stack package: a line of JSON for each goroutine, in the order of
// the text, to compare with; with -count only how many there are, for the clock.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/maruel/panicparse/v2/stack"
)

type frame struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
}

type goroutine struct {
	ID      int     `json:"id"`
	State   string  `json:"state"`
	Minutes int     `json:"minutes"`
	Locked  bool    `json:"locked"`
	Stack   []frame `json:"stack"`
}

func main() {
	count := flag.Bool("count", false, "print only the number of goroutines")
	flag.Parse()
	options := &stack.Opts{NameArguments: !*count}
	found := []*stack.Goroutine{}
	in := io.Reader(bufio.NewReaderSize(os.Stdin, 1<<20))
	for {
		snapshot, suffix, err := stack.ScanSnapshot(in, io.Discard, options)
		if snapshot != nil {
			found = append(found, snapshot.Goroutines...)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		in = io.MultiReader(newBytes(suffix), in)
	}
	if *count {
		fmt.Println(len(found))
		return
	}
	out := json.NewEncoder(os.Stdout)
	for _, g := range found {
		one := goroutine{ID: g.ID, State: g.State, Minutes: g.SleepMax, Locked: g.Locked}
		for _, call := range g.Stack.Calls {
			one.Stack = append(one.Stack, frame{call.Func.Complete, call.RemoteSrcPath, call.Line})
		}
		out.Encode(one)
	}
}

type bytesReader struct{ rest []byte }

func newBytes(b []byte) io.Reader { return &bytesReader{append([]byte(nil), b...)} }

func (r *bytesReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

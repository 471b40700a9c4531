// Writes a heap profile with 2^bits different stacks into the file that its argument names: each bit of a number
// chooses one of two functions, and every number grows a map of its own.
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
)

var kept []map[int]int

//go:noinline
func left(path, bits, below int) {
	next(path>>1, bits-1, below)
}

//go:noinline
func right(path, bits, below int) {
	next(path>>1, bits-1, below)
}

//go:noinline
func next(path, bits, below int) {
	switch {
	case bits > 0 && path&1 == 0:
		left(path, bits, below)
	case bits > 0:
		right(path, bits, below)
	case below > 0:
		next(0, 0, below-1)
	default:
		m := make(map[int]int, 20)
		m[below] = 1
		kept = append(kept, m)
	}
}

func main() {
	runtime.MemProfileRate = 1
	bits, _ := strconv.Atoi(os.Args[2])
	for path := 0; path < 1<<uint(bits); path++ {
		next(path, bits, 0)
	}
	runtime.GC()
	file, err := os.Create(os.Args[1])
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(file, 0)
	}
	if err != nil {
		panic(err)
	}
	runtime.KeepAlive(kept)
}

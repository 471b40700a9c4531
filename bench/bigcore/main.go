// SPDX-License-Identifier: Apache-2.0

// A program with a large heap and many parked goroutines that races on a map and dies.
// Run it with GOTRACEBACK=crash; its core is what bench/run.sh measures.
package main

import (
	"flag"
	"sync"
	"time"
)

// node is what fills the heap: 128 bytes, two pointers, linked.
type node struct {
	next, other *node
	payload     [14]uint64
}

// registry owns the map that is raced on.
type registry struct {
	mu      sync.Mutex
	entries map[string]int
	chain   []*node
}

type request struct {
	id    int
	reg   *registry
	ready *sync.WaitGroup
	never chan int
	other chan string
	lock  *sync.Mutex
}

const chainLength = 1 << 16

func fillHeap(reg *registry, gib float64) {
	count := int(gib * (1 << 30) / 128)
	var last *node
	for i := 0; i < count; i++ {
		n := &node{next: last}
		n.payload[0] = uint64(i)
		last = n
		if i%chainLength == 0 {
			if len(reg.chain) > 0 {
				n.other = reg.chain[len(reg.chain)-1]
			}
			reg.chain = append(reg.chain, n)
			last = nil
		}
	}
}

//go:noinline
func serve(r *request) int { return route(r, r.id%7) + 1 }

//go:noinline
func route(r *request, kind int) int { return authorise(r, kind, "token") + 1 }

//go:noinline
func authorise(r *request, kind int, token string) int {
	return decode(r, kind, []byte(token)) + len(token)
}

//go:noinline
func decode(r *request, kind int, body []byte) int {
	v := handle(r, kind)
	return v + int(body[0])
}

//go:noinline
func handle(r *request, kind int) int {
	defer func() { r.id++ }()
	return lookup(r, kind, r.reg.entries)
}

//go:noinline
func lookup(r *request, kind int, entries map[string]int) int {
	if kind == 99 {
		entries["never"] = kind // a path to a write that is not taken
	}
	return query(r, kind) + len(entries)
}

//go:noinline
func query(r *request, kind int) int { return wait(r, kind, time.Hour) + 1 }

func wait(r *request, kind int, long time.Duration) int {
	r.ready.Done()
	switch kind {
	case 0, 1, 2:
		return waitSelect(r, long)
	case 3, 4:
		return <-r.never
	case 5:
		time.Sleep(long)
		return 5
	default:
		r.lock.Lock()
		return 6
	}
}

//go:noinline
func waitSelect(r *request, long time.Duration) int {
	select {
	case v := <-r.never:
		return v
	case s := <-r.other:
		return len(s)
	}
}

//go:noinline
func update(reg *registry, key string) {
	reg.entries[key]++
}

//go:noinline
func refresh(reg *registry, keys []string) {
	for {
		for _, key := range keys {
			update(reg, key)
		}
	}
}

func main() {
	goroutines := flag.Int("goroutines", 1000, "how many goroutines wait")
	heap := flag.Float64("heap", 0.1, "GiB of linked structs")
	flag.Parse()

	reg := &registry{entries: map[string]int{}}
	keys := []string{"alpha", "beta", "gamma", "delta"}
	never, other := make(chan int), make(chan string)
	var ready sync.WaitGroup
	var lock sync.Mutex

	fillHeap(reg, *heap)
	lock.Lock()
	ready.Add(*goroutines)
	for i := 0; i < *goroutines; i++ {
		go serve(&request{i, reg, &ready, never, other, &lock})
	}
	ready.Wait()
	time.Sleep(time.Second)
	go refresh(reg, keys)
	go refresh(reg, keys)
	time.Sleep(time.Minute)
	close(never)
	reg.chain[0].next = nil
}

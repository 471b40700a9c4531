// A small service with a mistake in it: refresh writes the map that get reads, and nothing guards it.
package main

import (
	"fmt"
	"os"
	"time"
)

type entry struct{ value, hits int }

type store struct {
	name    string
	entries map[string]*entry
}

//go:noinline
func (s *store) get(key string) *entry {
	return s.entries[key]
}

//go:noinline
func (s *store) refresh(generation int) {
	for i := 0; i < 64; i++ {
		s.entries[fmt.Sprint("key", i)] = &entry{value: generation}
	}
}

func serve(s *store, requests chan string) {
	for key := range requests {
		if e := s.get(key); e != nil {
			e.hits++
		}
	}
}

func watch(s *store) {
	for generation := 0; ; generation++ {
		s.refresh(generation)
	}
}

func main() {
	s := &store{name: "demo", entries: map[string]*entry{}}
	requests := make(chan string, 128)
	for i := 0; i < 3; i++ {
		go serve(s, requests)
	}
	go watch(s)
	end := time.After(20 * time.Second)
	for i := 0; ; i++ {
		select {
		case requests <- fmt.Sprint("key", i%64):
		case <-end:
			fmt.Fprintln(os.Stderr, "no crash in 20 seconds; run it again")
			os.Exit(3)
		}
	}
}

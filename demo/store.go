// A small service with a mistake in it: refresh writes the map that get reads, and nothing guards it.
package main

import (
	"fmt"
	"os"
	"time"
)

type store struct {
	name    string
	entries map[string]int
}

//go:noinline
func (s *store) get(key string) int {
	return s.entries[key]
}

//go:noinline
func (s *store) refresh(keys []string, generation int) {
	for _, key := range keys {
		s.entries[key] = generation
	}
}

func serve(s *store, requests chan string) {
	hits := 0
	for key := range requests {
		hits += s.get(key)
	}
}

func watch(s *store, keys []string) {
	for generation := 0; ; generation++ {
		s.refresh(keys, generation)
	}
}

func main() {
	s := &store{name: "demo", entries: map[string]int{}}
	keys := make([]string, 64)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	requests := make(chan string, 128)
	for i := 0; i < 3; i++ {
		go serve(s, requests)
	}
	go watch(s, keys)
	end := time.After(20 * time.Second)
	for i := 0; ; i++ {
		select {
		case requests <- keys[i%len(keys)]:
		case <-end:
			fmt.Fprintln(os.Stderr, "no crash in 20 seconds; run it again")
			os.Exit(3)
		}
	}
}

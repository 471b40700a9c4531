// What a map write costs, in nanoseconds: one line a kind of write, "name ns". bench/record.py runs it untouched, recorded
// and with the race detector.
package main

import (
	"fmt"
	"sync"
	"time"
)

const writes = 4000000

//go:noinline
func setNumber(m map[int]int, i int) { m[i&1023] = i }

func numbers(n int) {
	m := map[int]int{}
	for i := 0; i < n; i++ {
		setNumber(m, i)
	}
}

func words(n int) {
	m := map[string]int{}
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprint("key number ", i)
	}
	for i := 0; i < n; i++ {
		m[keys[i&1023]] = i
	}
}

func twoLines(n int) {
	m := map[int]int{}
	for i := 0; i < n; i += 2 {
		m[i&1023] = i
		m[(i+1)&1023]++
	}
}

func insertAndDelete(n int) {
	m := map[int]int{}
	for i := 0; i < n; i += 2 {
		m[i] = i
		delete(m, i)
	}
}

func manyMaps(n int) {
	maps := make([]map[int]int, 4096)
	for i := range maps {
		maps[i] = map[int]int{0: 0}
	}
	for i := 0; i < n; i++ {
		maps[i&4095][0] = i
	}
}

func locked(n int) {
	var lock sync.Mutex
	var done sync.WaitGroup
	m := map[int]int{}
	for g := 0; g < 2; g++ {
		done.Add(1)
		go func() {
			for i := 0; i < n/2; i++ {
				lock.Lock()
				m[i&1023] = i
				lock.Unlock()
			}
			done.Done()
		}()
	}
	done.Wait()
}

func goroutineEach(n int) {
	var lock sync.Mutex
	m := map[int]int{}
	for i := 0; i < n/16; i++ {
		done := make(chan bool)
		go func() {
			lock.Lock()
			m[i&1023] = i
			lock.Unlock()
			done <- true
		}()
		<-done
	}
}

func main() {
	kinds := []struct {
		name string
		run  func(int)
		part int
	}{
		{"int keys", numbers, 1}, {"string keys", words, 1}, {"two lines", twoLines, 1},
		{"insert and delete", insertAndDelete, 1}, {"4096 maps in turn", manyMaps, 1},
		{"two goroutines, one lock", locked, 1}, {"a goroutine for each write", goroutineEach, 16},
	}
	for _, kind := range kinds {
		kind.run(writes / 8)
		start := time.Now()
		kind.run(writes)
		fmt.Printf("%s: %.2f\n", kind.name, float64(time.Since(start).Nanoseconds())/float64(writes/kind.part))
	}
}

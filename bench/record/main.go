// What a map write or read costs, in nanoseconds: one line a kind of it, "name: ns", the fastest of many short batches, as a busy
// machine can only make a batch slower. bench/record.py runs it untouched, recorded and with the race detector.
package main

import (
	"fmt"
	"sync"
	"time"
)

const (
	batch   = 1 << 14
	seconds = 0.15
)

//go:noinline
func setNumber(m map[int]int, i int) { m[i&1023] = i }

func numbers() func() {
	m := map[int]int{}
	return func() {
		for i := 0; i < batch; i++ {
			setNumber(m, i)
		}
	}
}

func words() func() {
	m := map[string]int{}
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprint("key number ", i)
	}
	return func() {
		for i := 0; i < batch; i++ {
			m[keys[i&1023]] = i
		}
	}
}

func twoLines() func() {
	m := map[int]int{}
	return func() {
		for i := 0; i < batch; i += 2 {
			m[i&1023] = i
			m[(i+1)&1023]++
		}
	}
}

//go:noinline
func setDeep(m map[int]int, i, depth int) {
	if depth == 0 {
		m[i&1023] = i
		return
	}
	setDeep(m, i, depth-1)
}

func manyCallers() func() {
	m := map[int]int{}
	return func() {
		for i := 0; i < batch; i++ {
			setDeep(m, i, 2+i&1)
		}
	}
}

func insertAndDelete() func() {
	m := map[int]int{}
	return func() {
		for i := 0; i < batch; i += 2 {
			m[i] = i
			delete(m, i)
		}
	}
}

func manyMaps() func() {
	maps := make([]map[int]int, 4096)
	for i := range maps {
		maps[i] = map[int]int{0: 0}
	}
	return func() {
		for i := 0; i < batch; i++ {
			maps[i&4095][0] = i
		}
	}
}

func locked() func() {
	m, lock := map[int]int{}, sync.Mutex{}
	return func() {
		var done sync.WaitGroup
		for g := 0; g < 2; g++ {
			done.Add(1)
			go func() {
				for i := 0; i < batch/2; i++ {
					lock.Lock()
					m[i&1023] = i
					lock.Unlock()
				}
				done.Done()
			}()
		}
		done.Wait()
	}
}

func goroutineEach() func() {
	m, done := map[int]int{}, make(chan bool)
	return func() {
		for i := 0; i < batch; i++ {
			i := i
			go func() {
				m[i&1023] = i
				done <- true
			}()
			<-done
		}
	}
}

var sum int

//go:noinline
func getNumber(m map[int]int, i int) int { return m[i&1023] }

func reads() func() {
	m := map[int]int{}
	for i := 0; i < 1024; i++ {
		m[i] = i
	}
	return func() {
		for i := 0; i < batch; i++ {
			sum += getNumber(m, i)
		}
	}
}

func wordReads() func() {
	m := map[string]int{}
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprint("key number ", i)
		m[keys[i]] = i
	}
	return func() {
		for i := 0; i < batch; i++ {
			sum += m[keys[i&1023]]
		}
	}
}

func steps() func() {
	m := map[int]int{}
	for i := 0; i < 1024; i++ {
		m[i] = i
	}
	return func() {
		for i := 0; i < batch; i += 1024 {
			for _, v := range m {
				sum += v
			}
		}
	}
}

func readsByTwo() func() {
	m, lock := map[int]int{1: 1}, sync.RWMutex{}
	return func() {
		var done sync.WaitGroup
		for g := 0; g < 2; g++ {
			done.Add(1)
			go func() {
				found := 0
				for i := 0; i < batch/2; i++ {
					lock.RLock()
					found += m[i&1]
					lock.RUnlock()
				}
				done.Done()
			}()
		}
		done.Wait()
	}
}

func main() {
	kinds := []struct {
		name    string
		prepare func() func()
	}{
		{"int keys", numbers}, {"string keys", words}, {"two lines", twoLines}, {"two depths of callers", manyCallers},
		{"insert and delete", insertAndDelete}, {"4096 maps in turn", manyMaps},
		{"two goroutines, one lock", locked}, {"a goroutine for each write", goroutineEach},
		{"read, int keys", reads}, {"read, string keys", wordReads}, {"iterate, a step", steps},
		{"read, two goroutines, one read lock", readsByTwo},
	}
	for _, kind := range kinds {
		run := kind.prepare()
		fastest := time.Hour
		for start := time.Now(); time.Since(start).Seconds() < seconds; {
			begin := time.Now()
			run()
			if took := time.Since(begin); took < fastest {
				fastest = took
			}
		}
		fmt.Printf("%s: %.2f\n", kind.name, float64(fastest.Nanoseconds())/batch)
	}
}

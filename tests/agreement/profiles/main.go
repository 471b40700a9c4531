// Writes every kind of profile in every form into the folder that its argument names: NAME.pb.gz and
// NAME.txt. Its maps, goroutines and locks give each kind something to say.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

type entry struct {
	name string
	next *entry
}

type shop struct {
	mu    sync.Mutex
	items map[string]*entry
	seen  map[int]bool
}

var kept []interface{}

func (s *shop) fill(n int) {
	for i := 0; i < n; i++ {
		s.items[fmt.Sprintf("item-%d", i)] = &entry{name: "x"}
	}
}

//go:noinline
func (s *shop) mark(n int) {
	for i := 0; i < n; i++ {
		s.seen[i] = true
	}
}

func small(i int) map[int]int { // small enough to be inlined
	return map[int]int{i: i}
}

func reflected(n int) interface{} {
	m := reflect.MakeMap(reflect.TypeOf(map[string]int(nil)))
	for i := 0; i < n; i++ {
		m.SetMapIndex(reflect.ValueOf(fmt.Sprint(i)), reflect.ValueOf(i))
	}
	return m.Interface()
}

func deep(n int) interface{} {
	if n > 0 {
		return deep(n - 1)
	}
	return make([]byte, 3<<20)
}

func (s *shop) contend(done *sync.WaitGroup) {
	for i := 0; i < 50; i++ {
		s.mu.Lock()
		time.Sleep(100 * time.Microsecond)
		s.mu.Unlock()
	}
	done.Done()
}

func write(folder, name string) {
	profile := pprof.Lookup(name)
	if profile == nil {
		return
	}
	for debug, suffix := range []string{".pb.gz", ".txt"} {
		file, err := os.Create(filepath.Join(folder, name+suffix))
		if err == nil {
			err = profile.WriteTo(file, debug)
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			panic(err)
		}
	}
}

func main() {
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	runtime.MemProfileRate = 4096
	s := &shop{items: make(map[string]*entry), seen: make(map[int]bool, 1000)}
	var done sync.WaitGroup
	done.Add(4)
	for i := 0; i < 4; i++ {
		go s.contend(&done)
	}
	s.fill(20000)
	s.mark(30000)
	for i := 0; i < 2000; i++ {
		kept = append(kept, small(i))
	}
	kept = append(kept, reflected(5000), deep(40))
	done.Wait()
	for i := 0; i < 300; i++ {
		labels := pprof.Labels("tenant", fmt.Sprint("t", i%3), "odd", "say \"hi\"\\")
		go pprof.Do(context.Background(), labels, func(context.Context) { select {} })
	}
	for i := 0; i < 100; i++ {
		go func() { <-make(chan int) }()
	}
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	for _, name := range []string{"heap", "allocs", "goroutine", "threadcreate", "block", "mutex"} {
		write(os.Args[1], name)
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(s)
}

// Keeps a server busy for a while and says how it did: "requests N", "p50_us N", "p99_us N". Used by bench/record_servers.py.
//
//	load http SECONDS CONNECTIONS URL...    GETs, one after the other on each connection
//	load nats SECONDS CONNECTIONS ADDRESS   request and reply: each connection subscribes a new inbox, publishes to it,
//	                                        waits for the message, unsubscribes
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A client does one request at a time.
type client func() error

func httpClient(urls []string, first int) client {
	at := first
	transport := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	return func() error {
		at++
		answer, err := transport.Get(urls[at%len(urls)])
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", urls[at%len(urls)], answer.Status)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
}

func natsClient(address string, number int) client {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	in := bufio.NewReader(connection)
	fmt.Fprint(connection, "CONNECT {\"verbose\":false}\r\n")
	next := 0
	return func() error {
		next++
		inbox := fmt.Sprintf("inbox.%d.%d", number, next)
		fmt.Fprintf(connection, "SUB %s %d\r\nPUB %s 5\r\nhello\r\nUNSUB %d\r\n", inbox, next, inbox, next)
		for {
			line, err := in.ReadString('\n')
			switch {
			case err != nil:
				return err
			case strings.HasPrefix(line, "PING"):
				fmt.Fprint(connection, "PONG\r\n")
			case strings.HasPrefix(line, "-ERR"):
				return fmt.Errorf("%s", line)
			case strings.HasPrefix(line, "MSG "+inbox):
				_, err := in.ReadString('\n')
				return err
			}
		}
	}
}

func run(clients []client, long time.Duration) []time.Duration {
	var all []time.Duration
	var lock sync.Mutex
	var done sync.WaitGroup
	end := time.Now().Add(long)
	for _, each := range clients {
		done.Add(1)
		go func(request client) {
			defer done.Done()
			var took []time.Duration
			for begin := time.Now(); begin.Before(end); begin = time.Now() {
				if err := request(); err != nil {
					log.Fatal(err)
				}
				took = append(took, time.Since(begin))
			}
			lock.Lock()
			all = append(all, took...)
			lock.Unlock()
		}(each)
	}
	done.Wait()
	sort.Slice(all, func(i, k int) bool { return all[i] < all[k] })
	return all
}

func main() {
	if len(os.Args) < 5 {
		log.Fatal("usage: load http|nats SECONDS CONNECTIONS URL...|ADDRESS")
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		log.Fatal(err)
	}
	count, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	clients := make([]client, count)
	for i := range clients {
		if os.Args[1] == "http" {
			clients[i] = httpClient(os.Args[4:], i)
		} else {
			clients[i] = natsClient(os.Args[4], os.Getpid()*1000+i)
		}
	}
	took := run(clients, time.Duration(seconds*float64(time.Second)))
	if len(took) == 0 {
		log.Fatal("no request was answered")
	}
	fmt.Printf("requests %d\np50_us %d\np99_us %d\n", len(took), took[len(took)/2].Microseconds(),
		took[len(took)*99/100].Microseconds())
}

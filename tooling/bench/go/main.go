// hashicorp/yamux as a subject of suite mux: obeys the orders of ../src/orders.ts, one JSON object a line, on its standard streams.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

type order struct {
	ID           int             `json:"id"`
	Do           string          `json:"do"`
	Services     []string        `json:"services"`
	Address      json.RawMessage `json:"address"`
	Bytes        float64         `json:"bytes"`
	Streams      int             `json:"streams"`
	MessageBytes int             `json:"messageBytes"`
	Count        *float64        `json:"count"`
	Ms           *float64        `json:"ms"`
	AtOnce       int             `json:"atOnce"`
	Collect      bool            `json:"collect"`
}

var (
	session *yamux.Session
	held    []*yamux.Stream
	pressed atomic.Int64
	counted = newCounter()
	answers sync.Mutex
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var what order
		if err := json.Unmarshal(lines.Bytes(), &what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			ok, err := obey(what)
			answers.Lock()
			defer answers.Unlock()
			answer := map[string]any{"id": what.ID}
			if err != nil {
				answer["failed"] = err.Error()
			} else {
				answer["ok"] = ok
			}
			line, _ := json.Marshal(answer)
			os.Stdout.Write(append(line, '\n'))
		}()
	}
}

func obey(what order) (any, error) {
	switch what.Do {
	case "listen":
		return listen(what.Services)
	case "taken":
		return map[string]int64{"at": counted.until(func() bool { return counted.taken >= int64(what.Bytes) })}, nil
	case "opened":
		return map[string]int64{"at": counted.until(func() bool { return counted.opened >= what.Streams })}, nil
	case "connect":
		return nil, connect(what.Address)
	case "send":
		return send(what.Streams, int64(what.Bytes), what.MessageBytes)
	case "press":
		return nil, press(int64(what.Bytes), what.MessageBytes)
	case "pressed":
		return pressed.Load(), nil
	case "ping":
		return ping(int(what.Bytes), what.Count, what.Ms)
	case "echo":
		return echo(int(what.Bytes), int(*what.Count), what.AtOnce)
	case "hold":
		return nil, hold(what.Streams)
	case "usage":
		return usage(what.Collect)
	}
	return nil, fmt.Errorf("unknown order %q", what.Do)
}

func configuration() *yamux.Config {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	config.EnableKeepAlive = false
	return config
}

func listen(services []string) (any, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted, err := yamux.Server(conn, configuration())
			if err != nil {
				return
			}
			go accept(accepted, services)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func accept(accepted *yamux.Session, services []string) {
	for {
		stream, err := accepted.AcceptStream()
		if err != nil {
			return
		}
		service := services[min(counted.open(), len(services)-1)]
		switch service {
		case "discard":
			go func() {
				buffer := make([]byte, 262144)
				for {
					count, err := stream.Read(buffer)
					counted.take(count)
					if err != nil {
						stream.Close()
						return
					}
				}
			}()
		case "echo":
			go func() {
				io.CopyBuffer(struct{ io.Writer }{stream}, struct{ io.Reader }{stream}, make([]byte, 65536))
				stream.Close()
			}()
		case "sleep":
			go stream.Read(make([]byte, 65536))
		}
	}
}

func connect(address json.RawMessage) error {
	conn, err := net.Dial("tcp", "127.0.0.1:"+string(address))
	if err != nil {
		return err
	}
	session, err = yamux.Client(conn, configuration())
	return err
}

func write(stream *yamux.Stream, bytes int64, messageBytes int, written *atomic.Int64) error {
	message := make([]byte, messageBytes)
	for left := bytes / int64(messageBytes); left > 0; left-- {
		count, err := stream.Write(message)
		if written != nil {
			written.Add(int64(count))
		}
		if err != nil {
			return err
		}
	}
	return stream.Close()
}

func send(streams int, bytes int64, messageBytes int) (any, error) {
	opened := make([]*yamux.Stream, streams)
	for index := range opened {
		stream, err := session.OpenStream()
		if err != nil {
			return nil, err
		}
		opened[index] = stream
	}
	at := now()
	return map[string]int64{"at": at}, all(streams, func(index int) error { return write(opened[index], bytes/int64(streams), messageBytes, nil) })
}

func press(bytes int64, messageBytes int) error {
	stream, err := session.OpenStream()
	if err == nil {
		go write(stream, bytes, messageBytes, &pressed)
	}
	return err
}

func ping(bytes int, count, ms *float64) (any, error) {
	stream, err := session.OpenStream()
	if err != nil {
		return nil, err
	}
	message := make([]byte, bytes)
	taken := []float64{}
	began := time.Now()
	for before := began; (count == nil || len(taken) < int(*count)) && (ms == nil || before.Sub(began).Seconds()*1000 < *ms); {
		if _, err := stream.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(stream, message); err != nil {
			return nil, err
		}
		after := time.Now()
		taken = append(taken, float64(after.Sub(before).Nanoseconds())/1000)
		before = after
	}
	sort.Float64s(taken)
	at := func(share float64) float64 { return taken[min(len(taken)-1, int(float64(len(taken))*share))] }
	return map[string]any{"count": len(taken), "p50": at(0.5), "p99": at(0.99), "max": at(1)}, nil
}

func echo(bytes, count, atOnce int) (any, error) {
	began := time.Now()
	var left atomic.Int64
	left.Store(int64(count))
	err := all(atOnce, func(int) error {
		message, buffer := make([]byte, bytes), make([]byte, bytes)
		for left.Add(-1) >= 0 {
			stream, err := session.OpenStream()
			if err != nil {
				return err
			}
			if _, err := stream.Write(message); err != nil {
				return err
			}
			if err := stream.Close(); err != nil {
				return err
			}
			if _, err := io.ReadFull(stream, buffer); err != nil {
				return err
			}
			if _, err := stream.Read(buffer); !errors.Is(err, io.EOF) {
				return fmt.Errorf("no end: %v", err)
			}
		}
		return nil
	})
	return map[string]float64{"seconds": time.Since(began).Seconds()}, err
}

func hold(streams int) error {
	for ; streams > 0; streams-- {
		stream, err := session.OpenStream()
		if err != nil {
			return err
		}
		held = append(held, stream)
	}
	return nil
}

func all(many int, work func(index int) error) error {
	failures := make(chan error, many)
	for index := 0; index < many; index++ {
		go func() { failures <- work(index) }()
	}
	for index := 0; index < many; index++ {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}

// What a server has seen, and who waits for it.
type counter struct {
	lock   sync.Mutex
	moved  *sync.Cond
	taken  int64
	opened int
}

func newCounter() *counter {
	counter := &counter{}
	counter.moved = sync.NewCond(&counter.lock)
	return counter
}

func (counter *counter) take(bytes int) {
	counter.lock.Lock()
	counter.taken += int64(bytes)
	counter.lock.Unlock()
	counter.moved.Broadcast()
}

// The number of the stream, from 0.
func (counter *counter) open() int {
	counter.lock.Lock()
	defer counter.lock.Unlock()
	counter.opened++
	counter.moved.Broadcast()
	return counter.opened - 1
}

func (counter *counter) until(reached func() bool) int64 {
	counter.lock.Lock()
	defer counter.lock.Unlock()
	for !reached() {
		counter.moved.Wait()
	}
	return now()
}

func usage(collect bool) (any, error) {
	if collect {
		// Stacks and spans that are free go back to the system too, as far as Go gives them.
		runtime.GC()
		debug.FreeOSMemory()
	}
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return nil, err
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	counted.lock.Lock()
	taken := counted.taken
	counted.lock.Unlock()
	return map[string]any{
		"at":           now(),
		"cpuSeconds":   float64(self.Utime.Nano()+self.Stime.Nano()) / 1e9,
		"rssBytes":     status("VmRSS:"),
		"peakRssBytes": status("VmHWM:"),
		"heapBytes":    memory.HeapAlloc + memory.StackInuse,
		"takenBytes":   taken,
	}, nil
}

func status(name string) int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name) {
			kib, _ := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
			return kib * 1024
		}
	}
	return 0
}

// The other end of the interop task: hashicorp/yamux over tcp, as server or client.
//
// Every stream begins with one byte that says what to do with it:
//
//	e  echo until the end
//	h  read to the end, then say how many bytes came (8 bytes), then 1 MiB
//	s  sleep: read nothing more, until the other end closes
//	w  write without end, and count what the session takes
//	c  say that count (8 bytes)
//	o  open streams ourselves: 4 bytes how many, 4 bytes how large; echo over each; say "k" when every byte was right
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/yamux"
)

var written atomic.Uint64

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: interop server | interop client ADDRESS"))
	}
	config := yamux.DefaultConfig()
	config.LogOutput = os.Stderr
	if os.Args[1] == "client" {
		conn, err := net.Dial("tcp", os.Args[2])
		fail(err)
		session, err := yamux.Client(conn, config)
		fail(err)
		serve(session)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		fail(err)
		session, err := yamux.Server(conn, config)
		fail(err)
		go serve(session)
	}
}

func serve(session *yamux.Session) {
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			return
		}
		go func() {
			if err := handle(session, stream); err != nil {
				fmt.Fprintln(os.Stderr, "stream:", err)
			}
		}()
	}
}

func handle(session *yamux.Session, stream *yamux.Stream) error {
	defer stream.Close()
	mode := make([]byte, 1)
	if _, err := io.ReadFull(stream, mode); err != nil {
		return err
	}
	switch mode[0] {
	case 'e':
		_, err := io.CopyBuffer(struct{ io.Writer }{stream}, struct{ io.Reader }{stream}, make([]byte, 65536))
		return err
	case 'h':
		count, err := io.Copy(io.Discard, stream)
		if err != nil {
			return err
		}
		if err := say(stream, uint64(count)); err != nil {
			return err
		}
		_, err = stream.Write(make([]byte, 1<<20))
		return err
	case 's':
		<-session.CloseChan()
		return nil
	case 'w':
		chunk := make([]byte, 65536)
		for {
			count, err := stream.Write(chunk)
			written.Add(uint64(count))
			if err != nil {
				return nil // The other end has had enough.
			}
		}
	case 'c':
		return say(stream, written.Load())
	case 'o':
		order := make([]byte, 8)
		if _, err := io.ReadFull(stream, order); err != nil {
			return err
		}
		if err := open(session, int(binary.BigEndian.Uint32(order)), int(binary.BigEndian.Uint32(order[4:]))); err != nil {
			return err
		}
		_, err := stream.Write([]byte("k"))
		return err
	}
	return fmt.Errorf("unknown mode %q", mode)
}

func open(session *yamux.Session, streams, bytes int) error {
	var group sync.WaitGroup
	results := make(chan error, streams)
	for index := 0; index < streams; index++ {
		group.Add(1)
		go func() {
			defer group.Done()
			results <- echo(session, byte(index), bytes)
		}()
	}
	group.Wait()
	close(results)
	for err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}

func echo(session *yamux.Session, seed byte, bytes int) error {
	stream, err := session.OpenStream()
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		chunk := make([]byte, 65536)
		for at := 0; at < bytes; at += len(chunk) {
			chunk = chunk[:min(len(chunk), bytes-at)]
			for i := range chunk {
				chunk[i] = pattern(seed, at+i)
			}
			if _, err := stream.Write(chunk); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.Close()
	}()
	chunk := make([]byte, 65536)
	at := 0
	for {
		count, err := stream.Read(chunk)
		for i := 0; i < count; i++ {
			if chunk[i] != pattern(seed, at+i) {
				return fmt.Errorf("byte %d is wrong", at+i)
			}
		}
		at += count
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if at != bytes {
		return fmt.Errorf("%d of %d bytes came back", at, bytes)
	}
	return <-sent
}

func pattern(seed byte, at int) byte {
	return byte(at*31>>3) + byte(at>>16) + seed
}

func say(stream *yamux.Stream, number uint64) error {
	return binary.Write(stream, binary.BigEndian, number)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Command natsd is a NATS server for load and fault runs by hand, where none is installed:
//
//	go run ./test/load/natsd -port 4222
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	port := flag.Int("port", 4222, "port to listen on, at 127.0.0.1; -1 picks a free one")
	flag.Parse()
	if err := run(*port); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "natsd:", err)
		os.Exit(1)
	}
}

func run(port int) error {
	const patience = 10 * time.Second
	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	nats.Start()
	if !nats.ReadyForConnections(patience) {
		return fmt.Errorf("not ready after %s", patience)
	}
	fmt.Println(nats.ClientURL())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
	nats.Shutdown()
	nats.WaitForShutdown()
	return nil
}

// Command nats is a NATS server on a free port of 127.0.0.1, for the tests with two nodes: it prints its address and runs
// until it is killed.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		fmt.Fprintln(os.Stderr, "nats: not ready")
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, s.ClientURL())
	s.WaitForShutdown()
}

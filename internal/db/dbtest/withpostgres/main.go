// Command withpostgres runs a command while one PostgreSQL for tests is up, so that the test programs that the command
// starts share it instead of making one each:
//
//	go run ./internal/db/dbtest/withpostgres go test ./...
//
// Where no PostgreSQL is installed it runs the command all the same. Its exit code is the command's.
package main

import (
	"errors"
	"log"
	"os"
	"os/exec"

	"github.com/magpie-im/magpie/internal/db/dbtest"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("withpostgres: name a command to run")
	}
	os.Exit(run(os.Args[1], os.Args[2:]))
}

func run(name string, args []string) int {
	command := exec.Command(name, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = os.Environ()
	share, stop, err := dbtest.Share()
	switch {
	case err == nil:
		defer stop()
		command.Env = append(command.Env, share)
	case !errors.Is(err, dbtest.ErrNotInstalled):
		log.Printf("withpostgres: %v; each test program makes one of its own", err)
	}
	err = command.Run()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return failed.ExitCode()
	case err != nil:
		log.Printf("withpostgres: %v", err)
		return 1
	}
	return 0
}

// Command ws compares WebSocket libraries as bare echo servers: resident memory of an idle connection, and the cost
// of writing one frame to many.
//
//	go run ./ws -lib all -conns 10000 -claim
//
// It starts itself twice, as server and as client, so that neither is measured inside the other. REST and WebSocket
// share one port, as they do in Magpie: each library takes over from net/http.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// options are the flags; the children get the same ones.
type options struct {
	lib     string
	conns   int
	fan     int
	rounds  int
	repeats int
	readBuf int
	claim   bool
	role    string
	addr    string
}

func main() {
	var o options
	flag.StringVar(&o.lib, "lib", "gws", "all, or some of: "+strings.Join(names(), ","))
	flag.IntVar(&o.conns, "conns", 10000, "idle connections")
	flag.IntVar(&o.fan, "fan", 1000, "connections that the fan-out writes to")
	flag.IntVar(&o.rounds, "rounds", 100, "frames written to each of them")
	flag.IntVar(&o.repeats, "repeats", 3, "whole runs, each with new processes; medians are printed")
	flag.IntVar(&o.readBuf, "readbuf", 512, "read buffer in bytes, for the libraries that have one")
	flag.BoolVar(&o.claim, "claim", false, "at last every client announces a frame of 60,000 bytes and sends none of it")
	flag.StringVar(&o.role, "role", "", "internal: serve or connect")
	flag.StringVar(&o.addr, "addr", "", "internal: where to connect")
	flag.Parse()

	var err error
	switch o.role {
	case "serve":
		err = serve(o)
	case "connect":
		err = connect(o)
	default:
		err = compare(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for name := range libraries {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

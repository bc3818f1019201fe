package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// result is one run.
type result struct {
	idleKB   float64 // resident, per connection
	heapKB   float64
	stackKB  float64
	routines float64
	rate     float64 // frames a second, one fan-out
	cpu      float64 // microseconds of the server's processor time per frame
	allocs   float64 // per frame
	inCPU    float64 // microseconds of the server's processor time to echo a frame of 822 bytes
	inAllocs float64
	claimKB  float64 // heap reserved, per connection that only claims
}

// compare takes turns, so that a busy minute of the machine does not fall on one library.
func compare(o options) error {
	libs := strings.Split(o.lib, ",")
	if o.lib == "all" {
		libs = names()
	}
	runs := map[string][]result{}
	for range o.repeats {
		for _, o.lib = range libs {
			r, err := run(o)
			if err != nil {
				return fmt.Errorf("%s: %w", o.lib, err)
			}
			runs[o.lib] = append(runs[o.lib], r)
		}
	}
	for _, o.lib = range libs {
		report(o, runs[o.lib])
	}
	return nil
}

func report(o options, runs []result) {
	fmt.Printf("%-14s readbuf %4d  idle %5.2f KB (heap %5.2f, stack %5.2f, goroutines %.2f)  fan-out %7.0f/s %5.2f us %5.2f allocs  echo %5.2f us %5.2f allocs  claim %5.1f KB\n",
		o.lib, o.readBuf, median(runs, func(r result) float64 { return r.idleKB }),
		median(runs, func(r result) float64 { return r.heapKB }),
		median(runs, func(r result) float64 { return r.stackKB }),
		median(runs, func(r result) float64 { return r.routines }),
		median(runs, func(r result) float64 { return r.rate }),
		median(runs, func(r result) float64 { return r.cpu }),
		median(runs, func(r result) float64 { return r.allocs }),
		median(runs, func(r result) float64 { return r.inCPU }),
		median(runs, func(r result) float64 { return r.inAllocs }),
		median(runs, func(r result) float64 { return r.claimKB }))
}

func median[T any, N cmp.Ordered](all []T, of func(T) N) N {
	var ns []N
	for _, one := range all {
		ns = append(ns, of(one))
	}
	slices.Sort(ns)
	return ns[len(ns)/2]
}

func run(o options) (r result, err error) {
	server, _, out, err := child(o, "serve", "")
	if err != nil {
		return r, err
	}
	defer stop(server)
	addr, err := out.ReadString('\n')
	if err != nil {
		return r, fmt.Errorf("server said nothing: %w", err)
	}
	addr = strings.TrimSpace(addr)

	var before, opened, echoed, after, claimed state
	if err := get(addr, "/state", &before); err != nil {
		return r, err
	}
	client, in, out, err := child(o, "connect", addr)
	if err != nil {
		return r, err
	}
	defer stop(client)
	for _, want := range []string{"open", "echoed"} {
		line, err := out.ReadString('\n')
		if strings.TrimSpace(line) != want {
			return r, fmt.Errorf("client: %q %w", line, err)
		}
		if want == "open" {
			if err := get(addr, "/state", &opened); err != nil {
				return r, err
			}
			_, _ = io.WriteString(in, "go\n")
		} else if err := get(addr, "/state", &echoed); err != nil {
			return r, err
		}
	}
	time.Sleep(2 * time.Second)
	if err := get(addr, "/state", &after); err != nil {
		return r, err
	}
	if after.Conns != o.conns {
		return r, fmt.Errorf("%d connections of %d", after.Conns, o.conns)
	}
	var f fanned
	if err := get(addr, "/fan", &f); err != nil {
		return r, err
	}
	if o.claim {
		_, _ = io.WriteString(in, "claim\n")
		time.Sleep(3 * time.Second)
		if err := get(addr, "/state", &claimed); err != nil {
			return r, err
		}
	}
	n := float64(o.conns)
	echoes := float64(echoConns * echoRounds)
	return result{
		idleKB:   float64(after.RSS-before.RSS) / n,
		heapKB:   (after.Heap - before.Heap) / n,
		stackKB:  (after.Stack - before.Stack) / n,
		routines: float64(after.Goroutines-before.Goroutines) / n,
		rate:     f.Rate, cpu: f.CPU, allocs: f.Allocs,
		inCPU:    (echoed.CPU - opened.CPU) / echoes,
		inAllocs: (echoed.Mallocs - opened.Mallocs) / echoes,
		claimKB:  max(0, claimed.Heap-after.Heap) / n,
	}, nil
}

func child(o options, role, addr string) (*exec.Cmd, io.Writer, *bufio.Reader, error) {
	cmd := exec.Command(os.Args[0], "-role", role, "-addr", addr, "-lib", o.lib,
		"-conns", strconv.Itoa(o.conns), "-fan", strconv.Itoa(o.fan),
		"-claim="+strconv.FormatBool(o.claim), "-rounds", strconv.Itoa(o.rounds), "-readbuf", strconv.Itoa(o.readBuf))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // the child ends when this pipe does
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	return cmd, in, bufio.NewReader(out), cmd.Start()
}

func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func get(addr, path string, into any) error {
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, body)
	}
	return json.Unmarshal(body, into)
}

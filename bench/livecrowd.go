package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// party is a process of the run's own with members of live rooms: so the load of many has a processor time of its own, and as many
// files as a process may open.
type party struct {
	process *os.Process
	in      io.WriteCloser
	out     *json.Decoder
	log     *tail
	exited  chan struct{}
}

// partyOrder is one line to the process. The first makes the members come, each later one begins or ends a phase.
type partyOrder struct {
	App     uint32 `json:"app,omitempty"`
	Key     string `json:"key,omitempty"`
	Address string `json:"address,omitempty"`
	// First is the number of the first of Count members, who are shared out over the rooms by their numbers.
	First int `json:"first,omitempty"`
	Count int `json:"count,omitempty"`
	Rooms int `json:"rooms,omitempty"`
	// Bare members are connections to a server that only writes: they do not log in.
	Bare bool `json:"bare,omitempty"`

	Begin *partyPhase `json:"begin,omitempty"`
	End   bool        `json:"end,omitempty"`
}

// partyPhase is one phase, its window in unix nanoseconds.
type partyPhase struct {
	// Start is when the first message of the phase is due.
	Start int64 `json:"start"`
	From  int64 `json:"from"`
	To    int64 `json:"to"`
	// Slow is how many of the members do not read meanwhile, the first ones.
	Slow int `json:"slow"`
	// Keep has the frames that come kept, each once.
	Keep bool `json:"keep"`
}

// partyAnswer is one line of the process.
type partyAnswer struct {
	Error string `json:"error,omitempty"`
	// Delivered counts messages by priority, each as often as it came; InWindow those that came in the window.
	Delivered [livePriorities]int64 `json:"delivered"`
	InWindow  int64                 `json:"in_window"`
	// Latencies are the buckets of a histogram by priority, of messages that were due in the window.
	Latencies [livePriorities]map[int]int64 `json:"latencies"`
	Most      [livePriorities]int64         `json:"most"`
	// Disordered counts messages that came after a later one of the same sender, or twice, and Lost connections that have ended.
	Disordered int64 `json:"disordered"`
	Lost       int64 `json:"lost"`
	// Frames are those that were kept, in their order; Seen how many came, each as often as it came, and Bytes their size.
	Frames []keptFrame `json:"frames,omitempty"`
	Seen   int64       `json:"seen"`
	Bytes  int64       `json:"bytes"`
}

// keptFrame is a push as it came to a room.
type keptFrame struct {
	At      int64  `json:"at"` // unix nanoseconds
	Room    int    `json:"room"`
	Payload []byte `json:"payload"`
}

// startParty starts a process, and returns when its members are inside.
func startParty(ctx context.Context, setup Setup, order partyOrder) (*party, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), setup.Exe, "bench", "members")
	c := &party{log: &tail{}, exited: make(chan struct{})}
	cmd.Env, cmd.Stderr, cmd.SysProcAttr = setup.Env, c.log, childAttributes()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.out = in, json.NewDecoder(out)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ties the child to the thread that starts it
		defer close(c.exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			_, _ = cmd.Process.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start members: %w", err)
	}
	c.process = cmd.Process
	if _, err := c.do(ctx, &order); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// partyPatience bounds an answer; that members come takes longest.
const partyPatience = 5 * time.Minute

// do gives an order and waits for its answer.
func (c *party) do(ctx context.Context, order *partyOrder) (*partyAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, partyPatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.process.Kill() })
	defer stop()
	if err := json.NewEncoder(c.in).Encode(order); err != nil {
		return nil, fmt.Errorf("tell members: %w\n%s", err, c.log.text())
	}
	answer := &partyAnswer{}
	if err := c.out.Decode(answer); err != nil {
		return nil, fmt.Errorf("hear members: %w\n%s", err, c.log.text())
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("members: %s", answer.Error)
	}
	return answer, nil
}

// stop ends the process, which ends when nobody gives it orders any more.
func (c *party) stop() error {
	const patience = 20 * time.Second
	_ = c.in.Close()
	select {
	case <-c.exited:
		return nil
	case <-time.After(patience):
		_ = c.process.Signal(syscall.SIGKILL)
		<-c.exited
		return errors.New("members did not stop when they were to")
	}
}

// ServeMembers is the process of a party: it takes orders until in ends.
func ServeMembers(ctx context.Context, in io.Reader, out io.Writer) error {
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	var m *members
	defer func() {
		if m != nil {
			m.close()
		}
	}()
	for {
		var order partyOrder
		switch err := orders.Decode(&order); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read an order: %w", err)
		}
		answer := &partyAnswer{}
		var err error
		switch {
		case m == nil:
			if m, err = newMembers(); err == nil {
				err = m.come(ctx, &order)
			}
		case order.Begin != nil:
			m.begin(order.Begin)
		case order.End:
			answer = m.end()
		}
		if err != nil {
			answer.Error = err.Error()
		}
		if err := answers.Encode(answer); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

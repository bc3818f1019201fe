package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// members are the connections of a party. One goroutine reads them all: a goroutine for each would take more of the processors than the
// server that is measured. All of their state is behind one mutex, which is held while what has come is read.
type members struct {
	poll *partyPoll
	stop chan struct{}
	over chan struct{}

	mutex  sync.Mutex
	all    []*partyMember
	byFile map[int32]*partyMember
	slow   int // of the members, the first ones do not read
	frames frameBook
	phase  partyPhase
	found  partyAnswer
	took   [livePriorities]histogram
	buffer []byte
}

// partyMember is one connection.
type partyMember struct {
	file   *os.File
	socket int32
	room   int
	rest   []byte // the beginning of a frame that has not come whole
	last   [livePriorities]int64
}

// partyNap is how long the reading rests when nothing has come: a client that is woken for each frame costs the server more.
const partyNap = 2 * time.Millisecond

// readAtOnce is how much is read of a connection at once.
const readAtOnce = 256 << 10

func newMembers() (*members, error) {
	poll, err := newPartyPoll()
	if err != nil {
		return nil, err
	}
	m := &members{
		poll: poll, stop: make(chan struct{}), over: make(chan struct{}), byFile: map[int32]*partyMember{}, buffer: make([]byte, readAtOnce),
	}
	m.frames.clear()
	go m.run()
	return m, nil
}

func (m *members) close() {
	close(m.stop)
	<-m.over
	m.poll.close()
	for _, one := range m.all {
		if one != nil {
			_ = one.file.Close()
		}
	}
}

// come has the members connect, log in and enter their rooms.
func (m *members) come(ctx context.Context, o *partyOrder) error {
	if err := wantFiles(o.Count); err != nil {
		return err
	}
	there := target{app: o.App, key: o.Key, urls: func(int) []string { return []string{"ws://" + o.Address} }}
	m.all = make([]*partyMember, o.Count)
	return inParallel(o.Count, func(i int) error {
		number := o.First + i
		v, err := there.newVisitor(number)
		if err != nil {
			return err
		}
		if o.Bare {
			v.askFor(number % o.Rooms)
			err = v.connect(ctx)
		} else {
			err = v.enterRoom(ctx, o.App, number%o.Rooms)
		}
		if err != nil {
			return fmt.Errorf("member %d: %w", number, err)
		}
		return m.take(v, i, number%o.Rooms)
	})
}

// enterRoom logs in, pulls as every client does, and enters a live room.
func (v *visitor) enterRoom(ctx context.Context, app uint32, room int) error {
	if err := v.arrive(ctx, false); err != nil {
		return err
	}
	for i, one := range []struct {
		command string
		body    any
	}{
		{"openim.getmsg", map[string]any{"Cookie": "", "SyncFlag": 0, "NeedAbstract": 1, "IsOnlineSync": 0}},
		{"group_open_http_svc.apply_join_group", map[string]any{"GroupId": roomName(room), "WebPushFlag": 1}},
	} {
		if err := v.ask(app, i+1, one.command, one.body); err != nil {
			return fmt.Errorf("%s: %w", one.command, err)
		}
	}
	return nil
}

// ask makes a call and waits for its answer; pushes before it are passed over.
func (v *visitor) ask(app uint32, number int, command string, body any) error {
	text, err := json.Marshal(map[string]any{"head": map[string]any{
		"ver": "v4", "sdkappid": app, "contenttype": "json", "servcmd": command, "seq": number,
	}, "body": body})
	if err != nil {
		return err
	}
	if _, err := v.socket.Write(maskedFrame(text)); err != nil {
		return err
	}
	for {
		text, err := v.next()
		if err != nil {
			return err
		}
		if !bytes.Contains(text, []byte(command)) {
			continue
		}
		var reply struct{ Body answer }
		if err := json.Unmarshal(text, &reply); err != nil {
			return err
		}
		if reply.Body.Code != 0 {
			return fmt.Errorf("refused with %d: %s", reply.Body.Code, reply.Body.Info)
		}
		return nil
	}
}

// take has a visitor's connection read with the others.
func (m *members) take(v *visitor, i, room int) error {
	defer v.hangUp()
	tcp, ok := v.socket.(interface{ File() (*os.File, error) })
	if !ok {
		return errors.New("a connection without a file")
	}
	file, err := tcp.File()
	if err != nil {
		return err
	}
	one := &partyMember{file: file, socket: int32(file.Fd()), room: room}
	if n := v.in.Buffered(); n > 0 {
		early, _ := v.in.Peek(n)
		one.rest = bytes.Clone(early)
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.all[i], m.byFile[one.socket] = one, one
	return m.poll.watch(one.socket, true)
}

// begin starts a phase.
func (m *members) begin(p *partyPhase) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.phase, m.found = *p, partyAnswer{}
	m.frames.clear()
	for i := range m.took {
		m.took[i].clear()
	}
	for _, one := range m.all {
		one.last = [livePriorities]int64{}
	}
	m.quiet(p.Slow)
}

// quiet has just the first n members not read.
func (m *members) quiet(n int) {
	for i := min(n, m.slow); i < max(n, m.slow); i++ {
		_ = m.poll.watch(m.all[i].socket, i >= n) // one that is lost is not watched
	}
	m.slow = n
}

// end gives what the phase found, and has all members read again.
func (m *members) end() *partyAnswer {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found := m.found
	for p := range m.took {
		found.Latencies[p], found.Most[p] = m.took[p].sparse()
	}
	m.phase = partyPhase{}
	m.quiet(0)
	return &found
}

// run reads what comes until the members are closed.
func (m *members) run() {
	defer close(m.over)
	nap := time.NewTimer(partyNap)
	defer nap.Stop()
	for {
		m.mutex.Lock()
		more := m.poll.come(m.read)
		m.mutex.Unlock()
		if more {
			continue
		}
		nap.Reset(partyNap)
		select {
		case <-m.stop:
			return
		case <-nap.C:
		}
	}
}

// read takes what has come on a connection.
func (m *members) read(socket int32) {
	one := m.byFile[socket]
	if one == nil {
		return
	}
	n, gone := receive(socket, m.buffer)
	if gone {
		m.found.Lost++
		_ = m.poll.watch(socket, false)
		return
	}
	at, text := now().UnixNano(), m.buffer[:n]
	if len(one.rest) > 0 {
		one.rest = append(one.rest, text...)
		text = one.rest
	}
	for {
		f, rest, whole := cutFrame(text)
		if !whole {
			break
		}
		m.hear(one, f, at)
		text = rest
	}
	one.rest = append(one.rest[:0], text...)
	if len(one.rest) == 0 {
		one.rest = nil
	}
}

// hear takes a frame.
func (m *members) hear(one *partyMember, f cutFramed, at int64) {
	const ping, binary, text = 0x9, 0x2, 0x1
	switch f.opcode {
	case ping:
		answerPing(one.socket, f.payload)
		return
	case binary, text:
	default:
		return
	}
	known, fresh := m.frames.find(f.payload)
	if m.phase.To == 0 || len(known) == 0 || known[0].due < m.phase.Start { // what was said before the phase is read late
		return
	}
	if fresh && m.phase.Keep {
		m.keep(keptFrame{at, one.room, bytes.Clone(f.payload)})
	}
	m.found.Seen++
	m.found.Bytes += int64(len(f.payload))
	for _, message := range known {
		m.found.Delivered[message.priority]++
		if m.phase.From <= at && at < m.phase.To {
			m.found.InWindow++
		}
		if m.phase.From <= message.due && message.due < m.phase.To {
			m.took[message.priority].record(at - message.due)
		}
		if message.due <= one.last[message.priority] {
			m.found.Disordered++
		}
		one.last[message.priority] = message.due
	}
}

// keep notes a frame, as many as can be told in one line.
func (m *members) keep(f keptFrame) {
	const most = 100_000
	if len(m.found.Frames) < most {
		m.found.Frames = append(m.found.Frames, f)
	}
}

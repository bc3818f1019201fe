package bench

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/client"
)

// crowd is the clients of a torture run, in pairs that send each other numbered messages.
type crowd struct {
	books   []*book // by sender
	clients []*client.Client
	groups  map[string]*groupBook
	links   []*links // by user
	window  int
	seed    uint64
	stepped bool          // the servers' clocks are set meanwhile
	every   time.Duration // between two messages of one client; 0 is as fast as the answers come

	acked    atomic.Int64
	mutex    sync.Mutex
	failures map[string]int
}

// callTimeout is longer than any outage that a run makes: a message that gets no answer in it is a fault of the server.
const callTimeout = 60 * time.Second

func newCrowd(n, window int, rate float64, seed uint64) *crowd {
	c := &crowd{window: window, seed: seed, groups: map[string]*groupBook{}, failures: map[string]int{}}
	if rate > 0 {
		c.every = time.Duration(float64(n) / rate * float64(time.Second))
	}
	for i := range n {
		c.books = append(c.books, newBook(userName(i), userName(i^1)))
		c.links = append(c.links, &links{})
	}
	return c
}

// join logs the clients in. They come back fast after an outage, as the next one is near.
func (c *crowd) join(ctx context.Context, t target) error {
	const least, most = 20 * time.Millisecond, 200 * time.Millisecond
	var err error
	c.clients, err = t.dial(ctx, 0, len(c.books), func(user int, o *client.Options) {
		o.CallTimeout, o.BackoffMin, o.BackoffMax = callTimeout, least, most
		o.OnMessage = func(m client.Message) { c.receive(user, &m) }
		o.OnGroupMessage = func(m client.GroupMessage) { c.heardIn(user, &m) }
		o.OnState = func(s client.State) {
			at := now()
			c.books[user^1].state(s, at)
			c.links[user].state(s, at)
		}
		o.Logger = slog.New(slog.DiscardHandler)
	})
	return err
}

func (c *crowd) receive(user int, m *client.Message) {
	b := c.books[user^1]
	text := m.Text()
	number := 0
	if m.From == b.from && m.To == b.to {
		number = b.number(text)
	}
	b.deliver(number, text)
}

// hear is what the back end was told of a message.
func (c *crowd) hear(one *told) {
	if one.Group != "" {
		c.hearInGroup(one)
		return
	}
	for _, b := range c.books {
		if b.from != one.From || b.to != one.To || len(one.MsgBody) == 0 {
			continue
		}
		text := one.MsgBody[0].MsgContent.Text
		b.tell(b.number(text), text)
		return
	}
}

// told waits until the back end has been told of all that was acknowledged; the servers may have to notice that one of
// them died, and the last attempt before may have to be repeated.
func (c *crowd) told(ctx context.Context) {
	const patience = time.Minute
	until(ctx, patience, func() bool {
		return !slices.ContainsFunc(c.allBooks(), func(b *book) bool { return b.untold() > 0 })
	})
}

// allBooks are those of one-to-one chats and of groups.
func (c *crowd) allBooks() []*book {
	all := slices.Clone(c.books)
	for _, g := range c.groups {
		for _, m := range g.members {
			all = append(all, m.book)
		}
	}
	return all
}

// text is what message number says: whose it is, so that one in the wrong place is known, and some bulk.
func (b *book) text(number int) string {
	const bulk = 200
	return fmt.Sprintf("%s %s %d %s", b.from, b.to, number, strings.Repeat("m", bulk))
}

// edit is what message number says after it was edited so many times.
func (b *book) edit(number, times int) string {
	return b.text(number) + editMark + strconv.Itoa(times)
}

const editMark = "/"

// number reads a message's text; 0 is none of this book.
func (b *book) number(text string) int {
	number, _ := b.read(text)
	return number
}

// read reads a message's text, and how often it was edited.
func (b *book) read(text string) (number, edits int) {
	words := strings.SplitN(text, " ", 4)
	if len(words) != 4 {
		return 0, 0
	}
	number, err := strconv.Atoi(words[2])
	if err != nil {
		return 0, 0
	}
	if first, times, found := strings.Cut(text, editMark); found {
		edits, err = strconv.Atoi(times)
		text = first
	}
	if err != nil || b.text(number) != text {
		return 0, 0
	}
	return number, edits
}

// talk sends from all clients until ctx ends, and returns when every message is settled.
func (c *crowd) talk(ctx context.Context) {
	var group sync.WaitGroup
	for user := range c.clients {
		group.Go(func() { c.chatter(ctx, user) })
	}
	group.Wait()
}

// chatter keeps up to window messages of one client on their way. The client sends those that a crash left unanswered
// again, in their order.
func (c *crowd) chatter(ctx context.Context, user int) {
	const afterFailure = 20 * time.Millisecond
	slots := make(chan struct{}, c.window)
	chance := newChance(c.seed, "chatter", user)
	for ctx.Err() == nil {
		if c.every > 0 && wait(ctx, chance.between(c.every/2, c.every*3/2)) != nil {
			break
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		if err := c.send(user, func() { <-slots }); err != nil {
			<-slots
			_ = wait(ctx, afterFailure)
		}
	}
	for range c.window { // all are settled when all slots are free
		slots <- struct{}{}
	}
}

func (c *crowd) send(user int, settled func()) error {
	b := c.books[user]
	number := b.next()
	out := client.Outgoing{To: b.to, Elements: []client.Element{client.Text(b.text(number))}}
	err := c.clients[user].SendAsync(out, func(sent client.Sent, err error) {
		if err == nil {
			b.acked(number, sent)
			c.acked.Add(1)
		} else {
			c.failed(err)
		}
		settled()
	})
	if err != nil {
		b.settle(number, unsent)
		c.failed(err)
	}
	return err
}

func (c *crowd) failed(err error) { c.failedAt("message", err) }

// failedAt counts an error by what was asked and why it was refused.
func (c *crowd) failedAt(name string, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.failures[name+": "+reason(err)]++
}

// owed counts the acknowledged messages that have not reached their receivers.
func (c *crowd) owed() int {
	n := 0
	for _, b := range c.books {
		_, owed := b.ackedCount()
		n += owed
	}
	return n
}

// settle waits until all that was acknowledged has arrived. What does not come by itself is asked for with a sync; late
// says how much that brought.
func (c *crowd) settle(ctx context.Context) (late int) {
	const patience, rest = 10 * time.Second, time.Second
	if until(ctx, patience, func() bool { return c.owed() == 0 }) {
		_ = wait(ctx, rest) // for what should not come
		return 0
	}
	before := c.owed()
	for user, one := range c.clients {
		if _, owed := c.books[user^1].ackedCount(); owed > 0 {
			_ = one.Sync(ctx)
		}
	}
	_ = wait(ctx, rest)
	return before - c.owed()
}

// connected waits until every client is logged in.
func (c *crowd) connected(ctx context.Context) bool {
	const patience = 30 * time.Second
	return until(ctx, patience, func() bool {
		for _, one := range c.clients {
			if one.State() != client.Connected {
				return false
			}
		}
		return true
	})
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/usersig"
)

// target is a service that clients log in to.
type target struct {
	app  uint32
	key  string
	urls func(user int) []string
	// first is the number of the first user's name: load from two processes needs users of two names.
	first int
	// far is a server on another machine, which loopback addresses do not reach.
	far bool
}

func (s *stage) target() target { return target{app: uint32(s.app), key: s.key, urls: s.urls} }

func userName(i int) string { return fmt.Sprintf("load-%05d", i) }

// user names the user of connection i.
func (t *target) user(i int) string { return userName(t.first + i) }

func (t *target) sign(user string) (string, error) {
	const lifetime = 24 * time.Hour
	return usersig.Sign(t.app, t.key, user, lifetime, now())
}

// dialers is how many logins a run has under way at once.
const dialers = 32

// dial logs the users [from, to) in. change may set what a client needs before it connects.
func (t *target) dial(ctx context.Context, from, to int, change func(user int, o *client.Options)) ([]*client.Client, error) {
	clients := make([]*client.Client, to-from)
	err := inParallel(len(clients), func(i int) (err error) {
		clients[i], err = t.login(ctx, from+i, change)
		return err
	})
	if err != nil {
		hangUp(clients)
		return nil, err
	}
	return clients, nil
}

// inParallel does something n times, in as many goroutines as logins are under way at once.
func inParallel(n int, do func(i int) error) error {
	failures := make([]error, dialers)
	var next atomic.Int64
	var group sync.WaitGroup
	for worker := range dialers {
		group.Go(func() {
			for failures[worker] == nil {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				failures[worker] = do(i)
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

// login returns a client that has pulled once, as every client does after its login: until then the server holds pushes
// back from it.
func (t *target) login(ctx context.Context, user int, change func(user int, o *client.Options)) (*client.Client, error) {
	sig, err := t.sign(t.user(user))
	if err != nil {
		return nil, err
	}
	o := client.Options{URLs: t.urls(user), AppID: t.app, UserID: t.user(user), UserSig: sig}
	if !t.far {
		o.LocalAddr = sourceAddress(user)
	}
	change(user, &o)
	c, err := client.Dial(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("log %s in: %w", o.UserID, err)
	}
	if !o.NoSync {
		return c, nil // Dial has synced
	}
	if err := c.Sync(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("first sync of %s: %w", o.UserID, err)
	}
	return c, nil
}

// sourceAddress spreads users over loopback addresses, as one of them has some 28,000 ports to a server. The first
// users' is left to the kernel, so that a server elsewhere can be reached.
func sourceAddress(user int) net.Addr {
	const each = 20_000
	if user < each {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+user/each))}
}

// hangUp ends clients, and those that are nil are none.
func hangUp(clients []*client.Client) {
	for _, c := range clients {
		if c != nil {
			_ = c.Close()
		}
	}
}

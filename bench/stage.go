package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Setup says what servers a run starts and on what.
type Setup struct {
	// Exe is the magpie binary, and Env the environment of its processes; a run adds its settings to it.
	Exe string
	Env []string
	// Dir is where stores are kept; empty is a throwaway directory. Put it on the disk that is to be measured.
	Dir string
	// DB is a PostgreSQL to use instead of SQLite; the run makes a schema of its own there and drops it. Bus is a NATS.
	DB, Bus string
	// Profile is a directory for processor profiles of the servers, which costs them a little; empty takes none.
	Profile string
	// Progress takes a line now and then while a run is under way.
	Progress io.Writer
}

// stage is where a run takes place: a store nobody else uses, one application and the servers on it.
type stage struct {
	setup   Setup
	dir     string
	db      string // the store's address, with the run's own schema; empty for SQLite
	app     im.AppID
	key     string
	cluster string
	nodes   []*node
	undo    []func() error
}

// stageApp is the application of every run.
const stageApp im.AppID = 1_400_000_001

// onStage has a server measured that was started for it and takes so many connections.
func onStage[R any](
	ctx context.Context, setup Setup, connections int, measure func(context.Context, *stage) (*R, error),
) (report *R, err error) {
	if err := wantFiles(connections); err != nil {
		return nil, err
	}
	s, err := newStage(ctx, setup, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return measure(ctx, s)
}

// wantFiles makes sure that this process and its server may each open a descriptor per connection.
func wantFiles(connections int) error {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit on open files: %w", err)
	}
	want := uint64(connections + others)
	if limit.Max < want {
		return fmt.Errorf("%d connections: this process may open %d files; raise the limit (ulimit -Hn) or ask for less",
			connections, limit.Max)
	}
	if limit.Cur >= want {
		return nil
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit on open files: %w", err)
	}
	return nil
}

// newStage prepares a store and, with it, n servers that are not started.
func newStage(ctx context.Context, setup Setup, n int) (*stage, error) {
	if setup.Progress == nil {
		setup.Progress = io.Discard
	}
	s := &stage{setup: setup, app: stageApp, key: randomName(), cluster: "load-" + randomName()[:16]}
	if err := s.prepare(ctx, n); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) prepare(ctx context.Context, n int) error {
	var err error
	if s.dir, err = os.MkdirTemp(s.setup.Dir, "magpie-load-"); err != nil {
		return fmt.Errorf("make a directory for the run: %w", err)
	}
	s.undo = append(s.undo, func() error { return os.RemoveAll(s.dir) })
	if s.db, err = s.schema(ctx); err != nil {
		return err
	}
	for i := range n {
		address, err := freeAddress(ctx)
		if err != nil {
			return err
		}
		one := &node{exe: s.setup.Exe, env: s.environment(), address: address, data: filepath.Join(s.dir, fmt.Sprint("node", i+1))}
		if err := s.debugged(ctx, one); err != nil {
			return err
		}
		s.nodes = append(s.nodes, one)
		s.undo = append(s.undo, one.stop)
	}
	return nil
}

// debugged gives a server an address for its profiles, if somebody wants them.
func (s *stage) debugged(ctx context.Context, n *node) (err error) {
	if s.setup.Profile == "" {
		return nil
	}
	n.debug, err = freeAddress(ctx)
	n.env = append(n.env, "MAGPIE_DEBUG_LISTEN="+n.debug)
	return err
}

// schema makes a schema of the run's own in the PostgreSQL of the setup, if there is one, and returns the address that
// leads into it.
func (s *stage) schema(ctx context.Context) (string, error) {
	if s.setup.DB == "" {
		return "", nil
	}
	inside, drop, err := freshSchema(ctx, s.setup.DB)
	if err == nil {
		s.undo = append(s.undo, drop)
	}
	return inside, err
}

// environment is what the servers are told. Addresses and keys go this way because a command line can be read by others.
func (s *stage) environment() []string {
	return append(s.setup.Env[:len(s.setup.Env):len(s.setup.Env)],
		fmt.Sprintf("MAGPIE_APP=%d:%s", s.app, s.key), "MAGPIE_DB="+s.db, "MAGPIE_BUS="+s.setup.Bus,
		"MAGPIE_CLUSTER="+s.cluster, "MAGPIE_REST_PER_SECOND=0",
	)
}

// start starts all servers.
func (s *stage) start(ctx context.Context) error {
	for _, n := range s.nodes {
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// open opens the first server's store beside it.
func (s *stage) open(ctx context.Context) (*db.DB, error) {
	d, err := db.Open(ctx, db.Options{Dir: s.nodes[0].data, URL: s.db})
	if err != nil {
		return nil, fmt.Errorf("open the run's store: %w", err)
	}
	return d, nil
}

// urls are the servers' addresses for clients, another one first for each user.
func (s *stage) urls(user int) []string {
	all := make([]string, 0, len(s.nodes))
	for i := range s.nodes {
		all = append(all, "ws://"+s.nodes[(user+i)%len(s.nodes)].address)
	}
	return all
}

// close stops the servers and removes what the run made.
func (s *stage) close() error {
	var all []error
	for len(s.undo) > 0 {
		last := len(s.undo) - 1
		all = append(all, s.undo[last]())
		s.undo = s.undo[:last]
	}
	return errors.Join(all...)
}

func (s *stage) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(s.setup.Progress, format+"\n", args...)
}

// What stores are called in reports.
const (
	databaseSQLite   = "sqlite"
	databasePostgres = "postgres"
	databaseUnknown  = "unknown" // of a server that runs already
)

// store names the kind of store in reports.
func (s Setup) store() string {
	if s.DB != "" {
		return databasePostgres
	}
	return databaseSQLite
}

func randomName() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// postgres is a running server. It belongs to the test process and ends with it, however that ends.
type postgres struct {
	dir string // holds its data, its socket and its log
	// leash is the writing end of a pipe whose other end the server's keeper reads: it closes with this process.
	leash     io.WriteCloser
	databases atomic.Int64
}

// One server of each kind serves all tests of the process; the first test that asks starts it.
var (
	hasty = sync.OnceValues(func() (*postgres, error) {
		if dir := os.Getenv(shared); dir != "" {
			return &postgres{dir: dir}, nil
		}
		return startHasty()
	})
	durable = sync.OnceValues(func() (*postgres, error) { return start(os.TempDir()) })
)

func startHasty() (*postgres, error) {
	return start(inMemory(), "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=128MB")
}

// shared names the variable, which is none of the settings of a server, that says where the hasty server is that several test programs share.
const shared = "TEST_POSTGRES_DIR"

// Share starts a hasty server for test programs that are started with the setting, "NAME=value", in their environment. stop
// ends the server; the end of this process does too.
func Share() (setting string, stop func(), err error) {
	p, err := startHasty()
	if err != nil {
		return "", nil, err
	}
	return shared + "=" + p.dir, func() { _ = p.leash.Close() }, nil
}

// ErrNotInstalled says that there is no PostgreSQL on this machine.
var ErrNotInstalled = errors.New("PostgreSQL is not installed (Debian: apt-get install postgresql)")

func create(t testing.TB, server func() (*postgres, error)) string {
	t.Helper()
	p, err := server()
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	name, err := p.create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return p.url(name)
}

// create makes an empty database and returns its name.
func (p *postgres) create() (string, error) {
	name := fmt.Sprintf("test%d_%d", os.Getpid(), p.databases.Add(1))
	if err := p.exec("CREATE DATABASE " + name); err != nil {
		return "", fmt.Errorf("create a database: %w\n%s", err, p.log())
	}
	return name, nil
}

// Keep is URL for a database that stays until the process ends.
func Keep() (string, error) {
	p, err := hasty()
	if err != nil {
		return "", err
	}
	name, err := p.create()
	return p.url(name), err
}

// keep runs the server until the test process is gone: then "cat" finds the end of its input, the server is stopped at
// once and its directory removed. A test that is killed with SIGKILL leaves nothing behind either.
const keep = `bin=$1 dir=$2; shift 2
"$bin/postgres" -D "$dir/data" "$@" >"$dir/log" 2>&1 & server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$dir"`

// inMemory is where the files of a server are that does not wait for the disk: a database is some three hundred of them, which
// disks' file systems are slow to make and to remove. Without a roomy file system in memory it is the usual place.
func inMemory() string {
	const memory, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return os.TempDir()
	}
	return memory
}

// start makes a server whose files are below a directory.
func start(below string, settings ...string) (*postgres, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(below, as)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", filepath.Join(dir, "data"), "--username", "magpie",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return run(bin, dir, as, settings)
}

func run(bin, dir string, as *syscall.Credential, settings []string) (*postgres, error) {
	// No TCP: the socket in a directory of its own cannot collide with another server's. The short deadlock timeout is
	// for tests that make one.
	args := slices.Concat([]string{
		"-c", keep, "keeper", bin, dir, "-k", dir, "-c", "listen_addresses=", "-c", "max_connections=300",
		"-c", "shared_buffers=32MB", "-c", "deadlock_timeout=100ms", "-c", "autovacuum=off", "-c", "jit=off",
	}, settings)
	keeper := exec.Command("sh", args...)
	keeper.Dir = dir
	// Its own session, so that Ctrl-C ends the test and leaves the cleaning up to the keeper.
	keeper.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setsid: true}
	leash, err := keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := keeper.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the server's keeper: %w", err), os.RemoveAll(dir))
	}
	p := &postgres{dir: dir, leash: leash}
	return p, p.wait()
}

// find looks for the folder of the server's programs: Debian keeps it out of the PATH, other systems in it.
func find() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrNotInstalled
	}
	return filepath.Dir(initdb), nil
}

// unprivileged is whom the server runs as: ourselves, or somebody else when we are root, whom PostgreSQL refuses.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return &syscall.Credential{Uid: uint32(os.Geteuid()), Gid: uint32(os.Getegid()), NoSetGroups: true}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

func makeDir(below string, as *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp(below, "magpie-pg-")
	if err != nil {
		return "", err
	}
	return dir, os.Chown(dir, int(as.Uid), int(as.Gid))
}

// wait returns when the server answers.
func (p *postgres) wait() error {
	const patience, pause = 30 * time.Second, 20 * time.Millisecond
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(pause) {
		if err = p.exec("SELECT 1"); err == nil {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("%w\n%s", err, p.log()), p.leash.Close())
}

func (p *postgres) url(database string) string {
	return fmt.Sprintf("postgres://magpie@/%s?host=%s&sslmode=disable", database, p.dir)
}

func (p *postgres) exec(statement string) error {
	control, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		return err
	}
	defer control.Close()
	_, err = control.ExecContext(context.Background(), statement)
	return err
}

func (p *postgres) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(text)
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profile takes a processor profile of the first server after a while and for as long as said, into a file of the
// setup's directory. The channel tells how it went; at once, when nobody wants profiles.
func (s *stage) profile(ctx context.Context, name string, after, length time.Duration) <-chan error {
	done := make(chan error, 1)
	if s.setup.Profile == "" {
		done <- nil
		return done
	}
	go func() {
		if err := wait(ctx, after); err != nil {
			done <- err
			return
		}
		done <- s.takeProfile(ctx, name, length)
	}()
	return done
}

func (s *stage) takeProfile(ctx context.Context, name string, length time.Duration) (err error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, length+patience)
	defer cancel()
	seconds := int(math.Ceil(length.Seconds()))
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.nodes[0].debug, seconds)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("take a profile: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("take a profile: the server answers %s", response.Status)
	}
	file, err := createAnew(s.setup.Profile, name, ".pprof")
	if err != nil {
		return fmt.Errorf("keep a profile: %w", err)
	}
	_, err = io.Copy(file, response.Body)
	s.progress("profile of the server in %s", file.Name())
	return errors.Join(err, file.Close())
}

// createAnew makes a file that was not there: name, name-2, and so on.
func createAnew(dir, name, extension string) (*os.File, error) {
	const most = 1000
	for n := 1; n <= most; n++ {
		path := filepath.Join(dir, name+extension)
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprint(name, "-", n, extension))
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, resultMode)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
	return nil, fmt.Errorf("%s has %d profiles named %s already", dir, most, name)
}

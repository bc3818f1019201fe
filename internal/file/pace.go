package file

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

// minRate is the rate, in bytes a second, that the other side has to keep up on average, once Patience has passed. So a
// transfer has an end, a large one gets the time that it needs on a slow network, and nobody holds a connection with a byte
// now and then.
const minRate = 16 << 10

// paceBytes is after how many bytes at most a bound of time is moved.
const paceBytes = 256 << 10

// pace moves the end of a transfer on as bytes go. Ends are the network's, so they are of the system's clock.
type pace struct {
	patience time.Duration
	began    time.Time
	moved    int64
	set      func(time.Time) error
}

func (f *Files) newPace(set func(time.Time) error) *pace {
	return &pace{patience: f.patience, began: clock.System().Now(), set: set}
}

func (p *pace) move(n int64) {
	p.moved += n
	earned := time.Duration(p.moved/minRate) * time.Second
	_ = p.set(p.began.Add(p.patience + earned)) // a connection without ends has those of its server
}

// pacedReader is an upload's body.
type pacedReader struct {
	from io.Reader
	pace *pace
}

// Read reads on, and fails with os.ErrDeadlineExceeded when the sender is too slow.
func (r *pacedReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.pace.move(int64(n))
	return n, err
}

// pacedWriter is the answer to a download.
type pacedWriter struct {
	http.ResponseWriter
	pace *pace
}

// Write writes a piece.
func (w *pacedWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.pace.move(int64(n))
	return n, err
}

// ReadFrom has the answer written out of a file by the system, piece by piece, so that the bytes do not come by here.
func (w *pacedWriter) ReadFrom(from io.Reader) (int64, error) {
	var sum int64
	within, ok := from.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{w}, from)
	}
	for within.N > 0 {
		// The system writes out of the file itself, and not out of a reader that bounds one that bounds it.
		n, err := io.CopyN(w.ResponseWriter, within.R, min(within.N, paceBytes))
		within.N -= n
		sum += n
		w.pace.move(n)
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Unwrap lets net/http find what the answer can do.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

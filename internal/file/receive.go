package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// arrived is a file that has come whole: it is on the disk of this machine, and counts for nothing yet.
type arrived struct {
	path          string
	digest        string // SHA-256 in hexadecimal
	size          int64
	head          []byte // its first bytes
	width, height int
	kind          kind
	found         string // its type
}

// receive takes an upload. Success is 200 and nothing else, as the client's plugin has it.
func (f *Files) receive(w http.ResponseWriter, r *http.Request, app *im.App, to address) error {
	if !f.uploads.enter(to.account, host(r)) {
		w.Header().Set("Retry-After", "1")
		return &refusal{http.StatusServiceUnavailable, "busy", "Too many uploads are under way. Try again."}
	}
	defer f.uploads.leave(to.account, host(r))
	f.metrics.underWay.Inc()
	defer f.metrics.underWay.Dec()
	most := to.kind.most(app)
	if r.ContentLength > most+formBytes {
		return errTooLarge(most)
	}
	on := http.NewResponseController(w)
	_ = on.SetWriteDeadline(time.Time{}) // the answer comes when all has come, which may be later than answers of other calls
	pace := f.newPace(on.SetReadDeadline)
	pace.move(0)
	r.Body = struct {
		io.Reader
		io.Closer
	}{&pacedReader{r.Body, pace}, r.Body}
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	file, err := f.spool(body, most)
	if file != nil {
		defer func() { _ = os.Remove(file.path) }() //nolint:gosec // a name of our own making; it is gone when it was kept
	}
	if err != nil {
		return err
	}
	_ = on.SetReadDeadline(time.Time{}) // the connection is watched on, and its end would end what follows
	if err := f.keep(r.Context(), app, to, file); err != nil {
		return err
	}
	f.metrics.received.Inc()
	f.metrics.bytes.Add(float64(file.size))
	w.WriteHeader(http.StatusOK)
	return nil
}

func errTooLarge(most int64) error {
	return &refusal{http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("A file of this kind may have %d MiB.", most>>20)}
}

func errCut(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refusal{http.StatusRequestTimeout, "slow", "The file came too slowly."}
	}
	return &refusal{http.StatusBadRequest, "cut", "The file did not come whole."}
}

// A form has a few short fields before its file: what is more is none of a client's.
const (
	formBytes  = 64 << 10 // what a form may have around its file
	formFields = 8
)

// bodyOf finds a file's bytes: a PUT is made of them, and in a POST they are in the field "file" of a form, as clients
// without the means for a PUT send them.
func bodyOf(r *http.Request) (io.Reader, error) {
	if r.Method == http.MethodPut {
		return r.Body, nil
	}
	form, err := r.MultipartReader()
	if err != nil {
		return nil, &refusal{http.StatusUnsupportedMediaType, "no-form", "A POST has the file in a form (multipart/form-data)."}
	}
	return fileIn(form)
}

// fileIn passes over a form's other fields. What stands behind the file is not read.
func fileIn(form *multipart.Reader) (io.Reader, error) {
	for range formFields {
		part, err := form.NextRawPart()
		if err != nil {
			break
		}
		if part.FormName() == "file" {
			return part, nil
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(part, formBytes)); err != nil || n == formBytes {
			break
		}
	}
	return nil, &refusal{http.StatusBadRequest, "no-file", "The form has no field \"file\" at its beginning."}
}

// copyBytes is the memory that one upload takes for its bytes.
const copyBytes = 64 << 10

// spool writes a body into a file of the folder of what comes in, and has the disk write it down. The file that it returns
// beside an error is to be removed.
func (f *Files) spool(body io.Reader, most int64) (*arrived, error) {
	to, err := os.CreateTemp(f.store.Incoming(), "*"+incomingEnd)
	if err != nil {
		return nil, fmt.Errorf("begin a file: %w", err)
	}
	defer to.Close()
	file := &arrived{path: to.Name()}
	sum := sha256.New()
	if err := file.fill(io.MultiWriter(to, sum), body, most); err != nil {
		return file, err
	}
	file.digest = hex.EncodeToString(sum.Sum(nil))
	file.measure(to)
	if err := to.Sync(); err != nil {
		return file, fmt.Errorf("write a file to the disk: %w", err)
	}
	return file, nil
}

// fill copies the bytes and keeps the first ones.
func (a *arrived) fill(to io.Writer, body io.Reader, most int64) error {
	head := &headWriter{}
	n, err := io.CopyBuffer(bothWriter{to, head}, io.LimitReader(onlyReader{body}, most+1), make([]byte, copyBytes))
	a.size, a.head = n, head.bytes
	var failed *os.PathError
	switch {
	case errors.As(err, &failed) && !errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("write a file: %w", err)
	case err != nil:
		return errCut(err)
	case n > most:
		return errTooLarge(most)
	}
	return nil
}

// onlyReader hides what else a reader can do: a copy would take more memory for it.
type onlyReader struct{ io.Reader }

// bothWriter is a file and what keeps its beginning.
type bothWriter struct{ to, head io.Writer }

// Write writes to both; the second never fails.
func (b bothWriter) Write(p []byte) (int, error) {
	_, _ = b.head.Write(p)
	return b.to.Write(p)
}

// headWriter keeps the first bytes.
type headWriter struct{ bytes []byte }

// Write takes what it needs.
func (h *headWriter) Write(p []byte) (int, error) {
	if n := min(len(p), headBytes-len(h.bytes)); n > 0 {
		h.bytes = append(h.bytes, p[:n]...)
	}
	return len(p), nil
}

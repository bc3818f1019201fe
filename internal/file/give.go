package file

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/file/store"
	"github.com/magpie-im/magpie/internal/im"
)

// kept is a file with the object that it names.
type kept struct {
	created       time.Time
	banned        bool
	digest, name  string
	found         string // its type
	size          int64
	width, height int
	large, thumb  string
}

const selectFile = `SELECT f.created_at, f.banned, o.digest, o.name, o.type, o.size, o.width, o.height, o.large, o.thumb
FROM file f JOIN file_object o ON o.digest = f.digest WHERE f.id = $1 AND f.app_id = $2`

// find reads a file of an application, or gives db.ErrNotFound.
func (f *Files) find(ctx context.Context, app im.AppID, id int64) (*kept, error) {
	return db.One(ctx, f.db, func(scan db.Scanner) (*kept, error) {
		k, created := &kept{}, int64(0)
		err := scan(&created, &k.banned, &k.digest, &k.name, &k.found, &k.size, &k.width, &k.height, &k.large, &k.thumb)
		k.created = time.UnixMilli(created)
		return k, err
	}, selectFile, id, int64(app))
}

// reread is for how long a browser keeps a file without asking again. It never changes, but it may be banned.
const reread = "private, max-age=3600"

// give answers with a file, or with the part of it that was asked for.
func (f *Files) give(w http.ResponseWriter, r *http.Request, at location, what address) error {
	k, err := f.find(r.Context(), at.app, what.id)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return &refusal{http.StatusNotFound, "no-file", "There is no such file: it was not uploaded, or it is not kept any more."}
	case err != nil:
		return fmt.Errorf("find a file: %w", err)
	case k.banned && what.use != useInspect:
		return &refusal{http.StatusForbidden, "banned", "The file is banned."}
	}
	wanted := asked(r, what.use)
	if sideOf(wanted) != 0 && strings.HasPrefix(k.found, "video/") {
		return giveCover(w)
	}
	if err := f.size(r.Context(), k, wanted); err != nil {
		return err
	}
	object, err := f.store.Open(r.Context(), k.name)
	if errors.Is(err, store.ErrNoObject) {
		return errNoAddress() // it was removed a moment ago
	}
	if err != nil {
		return err
	}
	defer object.Close()
	h := w.Header()
	h.Set("Content-Type", k.found)
	h.Set("Content-Disposition", disposition(k.found)+`; filename="`+at.name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", reread)
	h.Set("ETag", `"`+k.digest+`"`)
	pace := f.newPace(http.NewResponseController(w).SetWriteDeadline)
	pace.move(0)
	http.ServeContent(&pacedWriter{w, pace}, r, "", k.created, object)
	return nil
}

func disposition(found string) string {
	if inline(found) {
		return "inline"
	}
	return "attachment"
}

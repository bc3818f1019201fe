package welcome_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/welcome"
)

// late is a body before which something happens.
type late struct {
	before func()
	*strings.Reader
}

func (l late) Read(to []byte) (int, error) {
	l.before()
	return l.Reader.Read(to)
}

// The last application ends between the head of a request for a session and its body.
func TestSessionOfAnApplicationThatEnds(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	apps, err := app.Open(t.Context(), dbtest.Open(t, db.Options{Dir: t.TempDir()}), server.Settings(), log)
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := apps.Create(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	pages := welcome.New(welcome.Parts{Apps: apps, Demo: true, Log: log})
	body := late{func() {
		if err := apps.SetDisabled(t.Context(), id, true); err != nil {
			t.Error(err)
		}
	}, strings.NewReader(`{"name":"anna"}`)}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/demo/session", body)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	answer := httptest.NewRecorder()
	pages.Serve(answer, request, true)
	if answer.Code != http.StatusNotFound {
		t.Errorf("it is answered %d %s", answer.Code, answer.Body)
	}
}

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/server"
)

// ear is an application's back end that is told of every message and answers at once.
type ear struct {
	server   *http.Server
	url      string
	heard    atomic.Int64
	heardAll func(*told) // nil: only count
}

// told is what C2C.CallbackAfterSendMsg or Group.CallbackAfterSendMsg says of a message.
type told struct {
	Event   string
	From    string `json:"From_Account"`
	To      string `json:"To_Account"`
	Group   string `json:"GroupId"`
	MsgBody []struct {
		MsgContent struct {
			Text string `json:"Text"`
		} `json:"MsgContent"`
	} `json:"MsgBody"`
}

const tellingCommands = "C2C.CallbackAfterSendMsg,Group.CallbackAfterSendMsg"

// newEar starts a back end. hear is called by many goroutines.
func newEar(ctx context.Context, hear func(*told)) (*ear, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for callbacks: %w", err)
	}
	e := &ear{url: "http://" + listener.Addr().String() + "/", heardAll: hear}
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = e.server.Serve(listener) }()
	return e, nil
}

func (e *ear) close() { _ = e.server.Close() }

// ServeHTTP takes one callback.
func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if e.heardAll != nil {
		one := &told{Event: r.Header.Get("X-Magpie-Event-Id")}
		if err := json.Unmarshal(body, one); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e.heardAll(one)
	}
	e.heard.Add(1)
	_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`)
}

// configure changes the application's settings, beside servers that may be running, and returns when they are in force.
func (s *stage) configure(ctx context.Context, changes map[string]string) error {
	const inForce = 2 * time.Second
	d, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	apps, err := app.Open(ctx, d, server.Settings(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := apps.Ensure(ctx, s.app, s.key); err != nil {
		return err
	}
	if err := apps.Set(ctx, s.app, changes); err != nil {
		return err
	}
	return wait(ctx, inForce)
}

// hear has the servers tell the ear of every message.
func (s *stage) hear(ctx context.Context, e *ear) error {
	return s.configure(ctx, map[string]string{"webhook.url": e.url, "webhook.commands": tellingCommands})
}

// hearNothing ends it.
func (s *stage) hearNothing(ctx context.Context) error {
	return s.configure(ctx, map[string]string{"webhook.commands": ""})
}

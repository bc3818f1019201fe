package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/file"
	"github.com/magpie-im/magpie/internal/file/store"
	"github.com/magpie-im/magpie/internal/node"
	"github.com/magpie-im/magpie/internal/server/listen"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// enter makes the node one of those that serve the store. The embedded store is one node's, which the lock of its
// directory sees to.
func (s *Server) enter(ctx context.Context) error {
	var joined bus.Bus
	if s.config.Bus != "" {
		joined = s.bus
	}
	s.node = node.New(node.Parts{DB: s.db, Bus: joined, Log: s.log, Clock: s.clock})
	if s.config.DB == "" {
		return nil
	}
	if err := s.node.Enter(ctx); err != nil {
		return err
	}
	s.entered = true
	return nil
}

// openFiles opens the store of files. A node that is joined to others by a bus takes none unless it is told where: what it kept on
// its own disk the others would not find.
func (s *Server) openFiles(ctx context.Context) (*file.Files, error) {
	parts := file.Parts{
		DB: s.db, Apps: s.apps, Log: s.log, Refusals: s.refusals, Clock: s.clock,
		Key:    sync.OnceValue(func() []byte { return s.devices.Derive("addresses of files") }),
		Origin: strings.TrimSuffix(s.config.FilesURL, "/"), Patience: s.config.FilePatience, Uploads: s.config.MaxUploads,
	}
	where := s.config.Files
	if where == "" && s.config.Bus != "" {
		return file.New(parts), nil
	}
	if where == "" {
		where = filepath.Join(s.config.Data, "files")
	}
	var err error
	if store.IsS3(where) {
		parts.Store, err = store.OpenS3(ctx, where, s.config.Data)
	} else {
		parts.Store, err = store.OpenDisk(where)
	}
	if err != nil {
		return nil, fmt.Errorf("--files: %w", err)
	}
	return file.New(parts), nil
}

// listen opens the addresses of the doors and of the operators.
func (s *Server) listen(ctx context.Context) error {
	var err error
	s.listener, err = listen.Open(ctx, listen.Options{
		Address: s.config.Listen, Opened: s.opened, Cert: s.config.TLSCert, Key: s.config.TLSKey,
		Proxies: s.proxies, ProxyProtocol: s.config.ProxyProtocol, Refusals: s.refusals, Metrics: s.metrics,
		Bounds: listen.Bounds{Address: s.config.MaxConnectionsPerAddress, HTTP: s.config.MaxHTTPConnections},
	})
	if err == nil {
		s.listener.Attach(s.http)
		s.offer()
	}
	if err != nil || s.config.MetricsListen == "" {
		return err
	}
	if s.metricsListener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.config.MetricsListen); err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	return nil
}

// handoverFile is where a node offers its socket to the next one, within its data directory.
const handoverFile = "magpie.handover"

// takeOver has the node that serves the data directory, if there is one, hand its socket over and stop. Who connects from now on
// waits in the socket until this node listens. A node that could not serve leaves the other one alone.
func (s *Server) takeOver(ctx context.Context) (err error) {
	if !s.config.Takeover || s.opened != nil {
		return nil
	}
	if err := errors.Join(listen.CheckCertificate(s.config.TLSCert, s.config.TLSKey), db.Fits(ctx, s.config.Data)); err != nil {
		return err
	}
	s.opened, err = listen.TakeOver(ctx, filepath.Join(s.config.Data, handoverFile), s.config.Listen)
	return err
}

// offer lets a node that is started with --takeover have the socket. Where the file system has none of these sockets, a restart
// takes as long as it does without.
func (s *Server) offer() {
	if s.lock == nil {
		return
	}
	var err error
	if s.offered, err = s.listener.Offer(filepath.Join(s.config.Data, handoverFile), func() { close(s.replaced) }); err != nil {
		s.log.Info("no node can take over from this one", telemetry.FieldError, err)
	}
}

// Replaced is closed when another process has taken the node's socket over: this one is to stop then.
func (s *Server) Replaced() <-chan struct{} { return s.replaced }

// writeWithin bounds one call, from its head to the last byte of its answer: a caller who does not read gives it back.
const writeWithin = 2 * time.Minute

// httpServer is one that strangers may talk to.
func (s *Server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		WriteTimeout:      writeWithin,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          listen.ErrorLog(s.log, s.refusals.Sampled, s.metrics),
	}
}

func (s *Server) serve(on *http.Server, listener net.Listener) {
	if err := on.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("serve", telemetry.FieldError, err)
	}
}

// Reload reads the certificate's files again, for connections to come.
func (s *Server) Reload() error { return s.listener.Reload() }

// MetricsAddress is where the node listens for operators, or "" when that is the clients' address.
func (s *Server) MetricsAddress() string {
	if s.metricsListener == nil {
		return ""
	}
	return s.metricsListener.Addr().String()
}

// announce writes the line by which an operator finds a start in the log, and what the node was set up to be.
func (s *Server) announce() {
	store, joined := "sqlite "+filepath.Join(s.config.Data, "magpie.db"), "none"
	if s.config.DB != "" {
		store = "postgres " + withoutSecrets(s.config.DB)
	}
	if s.config.Bus != "" {
		joined = withoutSecrets(s.config.Bus)
	}
	s.log.Info("started", telemetry.FieldVersion, telemetry.Version(), telemetry.FieldAddress, s.Address(),
		telemetry.FieldStore, store, telemetry.FieldBus, joined, telemetry.FieldApps, len(s.apps.All()))
	s.warnPlain()
}

// warnPlain says once that what clients send can be read on the way, where nobody has said otherwise.
func (s *Server) warnPlain() {
	if s.config.TLSCert != "" || s.config.ListensNear() || s.config.NamesProxies() {
		return
	}
	s.log.Warn("others reach this node without TLS: signatures and messages can be read on the way; set --tls-cert, or name "+
		"the proxy in front with --trusted-proxies", telemetry.FieldAddress, s.Address())
}

// withoutSecrets keeps hosts and paths of a list of URLs: passwords also stand in parameters.
func withoutSecrets(addresses string) string {
	var kept []string
	for address := range strings.SplitSeq(addresses, ",") {
		if u, err := url.Parse(strings.TrimSpace(address)); err == nil {
			kept = append(kept, u.Host+u.Path)
		}
	}
	return strings.Join(kept, ",")
}

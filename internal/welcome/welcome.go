// Package welcome is what a browser sees of a server: a page that says what it is and how to connect, and a demo chat between two
// people that speaks the real wire. The pages are embedded; they ask no other host for anything.
package welcome

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strings"
	plain "text/template"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/telemetry"
)

//go:embed page
var files embed.FS

// Parts are what the pages need of the node.
type Parts struct {
	Apps *app.Apps
	// Ready is nil while the node can serve, or says why it cannot, in words that anybody may read.
	Ready func(context.Context) error
	// Demo switches the demo chat on, which gives its two accounts signatures of the first application.
	Demo bool
	// Near says that only this machine reaches the node. Then the demo chat answers this machine's own browser alone.
	Near bool
	// Store is how the command line names the node's store, such as "--data ./magpie-data".
	Store   string
	Version string
	Log     *slog.Logger
	Clock   *clock.Clock
}

// Pages serves them.
type Pages struct {
	Parts
	home, demo *template.Template
	text       *plain.Template
}

// New reads the embedded pages.
func New(p Parts) *Pages {
	return &Pages{
		Parts: p, home: load("home.html"), demo: load("demo.html"),
		text: plain.Must(plain.ParseFS(files, "page/home.txt")),
	}
}

func load(name string) *template.Template {
	return template.Must(template.ParseFS(files, "page/"+name))
}

// Serves reports whether a path is one of the pages'.
func Serves(path string) bool {
	return path == "/" || path == demoPath || strings.HasPrefix(path, demoPath+"/")
}

// policy keeps the pages to themselves: no script, style, picture or connection of another host, and no frame around them. The
// WebSocket of a page stands on its own host, which older browsers do not take 'self' for.
func policy(host string) string {
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws://%[1]s wss://%[1]s; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'", host)
}

// Serve answers a request for one of the pages. near says that a program on this machine asks, for itself.
func (p *Pages) Serve(w http.ResponseWriter, r *http.Request, near bool) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	if !plainHost(r.Host) {
		http.Error(w, "The request names no host that a page could stand on.", http.StatusBadRequest)
		return
	}
	header.Set("Content-Security-Policy", policy(r.Host))
	switch name, asset := strings.CutPrefix(r.URL.Path, demoPath+"/"); {
	case r.URL.Path == demoPath+"/session":
		p.session(w, r, near)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "This is a page: ask for it with GET.", http.StatusMethodNotAllowed)
	case asset:
		p.asset(w, r, name)
	case r.URL.Path == demoPath:
		p.show(w, r, p.demo, "text/html; charset=utf-8", near)
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		p.show(w, r, p.home, "text/html; charset=utf-8", near)
	default:
		p.show(w, r, p.text, "text/plain; charset=utf-8", near)
	}
}

// plainHost reports whether a Host header is a name or an address with or without a port, and nothing that would mean something
// in a header or a page.
func plainHost(host string) bool {
	return host != "" && strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == ""
}

// blanks are what a page leaves to be filled in.
type blanks struct {
	Host    string
	HTTP    string // "http" or "https"
	Socket  string // "ws" or "wss"
	App     string // the first application's number, or a word in its place
	Store   string
	Version string
	Trouble string // why the node is not ready; empty while it is
	Demo    bool
}

// page is a template of either kind.
type page interface {
	Execute(to io.Writer, with any) error
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, page page, kind string, near bool) {
	v := blanks{
		Host: r.Host, HTTP: "http", Socket: "ws", App: "SDKAPPID", Version: p.Version, Store: "--data DIR", Demo: p.mayDemo(r, near),
	}
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" { // it only says how whoever asks is to connect
		v.HTTP, v.Socket = "https", "wss"
	}
	if tenant := p.first(); near && tenant != nil {
		v.App, v.Store = fmt.Sprint(tenant.App.ID), p.Store
	}
	if page == p.demo && !v.Demo {
		http.Error(w, demoOff, http.StatusNotFound)
		return
	}
	if err := p.Ready(r.Context()); err != nil {
		v.Trouble = err.Error()
	}
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		p.Log.Error("make a page", telemetry.FieldError, err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(out.Bytes())
}

// assets are the files that the pages load, with their types.
var assets = map[string]string{ //nolint:gochecknoglobals // a constant table
	"style.css": "text/css; charset=utf-8",
	"home.js":   "text/javascript; charset=utf-8",
	"demo.js":   "text/javascript; charset=utf-8",
	"wire.js":   "text/javascript; charset=utf-8",
	"icon.svg":  "image/svg+xml",
}

func (p *Pages) asset(w http.ResponseWriter, r *http.Request, name string) {
	kind, ok := assets[name]
	data, err := files.ReadFile("page/" + name)
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data) //nolint:gosec // an embedded file
}

package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"net/url"
)

//go:embed page
var files embed.FS

// largestBody bounds what is read of a request: the largest are callbacks.
const largestBody = 64 << 10

// wrong is an answer that says what the asker did wrong. Other errors are logged, and answered with 500.
type wrong struct {
	status int
	why    string
}

func (w *wrong) Error() string { return w.why }

func (b *backEnd) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /session", answer(b.session))
	mux.Handle("POST /gift", answer(b.gift))
	mux.Handle("POST /lottery", answer(b.runLottery))
	mux.Handle("POST /statistics", answer(b.statistics))
	mux.Handle("POST /livekit", answer(b.liveKit))
	mux.HandleFunc("POST /callback", b.callback)
	mux.HandleFunc("POST /hooks/mediamtx", b.mediaMTX)
	mux.HandleFunc("POST /hooks/srs", b.srs)
	mux.HandleFunc("GET /sdk.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, b.options.sdk) })
	page, _ := fs.Sub(files, "page") // the folder is embedded
	mux.Handle("GET /", http.FileServerFS(page))
	return b.guard(mux)
}

// guard keeps the page to itself: no script or style of another host, nothing inline, no frame around it. Magpie and the media
// server are the only hosts that it speaks to. The SDK has its timers in a worker that it makes of a blob.
func (b *backEnd) guard(next http.Handler) http.Handler {
	elsewhere := ""
	if at, err := url.Parse(b.options.video); err == nil && at.Host != "" {
		elsewhere = " " + at.Scheme + "://" + at.Host
	}
	policy := fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; worker-src blob:; "+
		"connect-src 'self' %s%s; media-src 'self' blob:%[2]s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", b.options.socket, elsewhere)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, largestBody)
		next.ServeHTTP(w, r)
	})
}

// answer reads JSON, has it handled, and writes JSON.
func answer[Request, Reply any](handle func(context.Context, *Request) (Reply, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := new(Request)
		if err := json.NewDecoder(r.Body).Decode(request); err != nil {
			http.Error(w, "not JSON", http.StatusBadRequest)
			return
		}
		reply, err := handle(r.Context(), request)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply) // to a browser that may be gone
	})
}

func fail(w http.ResponseWriter, err error) {
	var mistake *wrong
	if errors.As(err, &mistake) {
		http.Error(w, mistake.why, mistake.status)
		return
	}
	log.Printf("answer a page or a media server: %v", err)
	http.Error(w, "The room's server cannot do that now.", http.StatusInternalServerError)
}

// Command liveroom is a live room on Magpie: a page on the official web SDK with chat, gifts, likes, notices, a lottery and a
// player, and the back end that such a page needs. README.md says how to run it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	app     string // SDKAPPID:KEY
	magpie  string // where Magpie serves, for the back end
	socket  string // the same for browsers
	listen  string
	token   string
	room    string
	title   string
	code    string
	sdk     string
	video   string
	livekit string
	try     bool
}

func flags() *options {
	o := &options{}
	flag.StringVar(&o.app, "app", "1400000001:liveroom-example-key", "application and its key, `SDKAPPID:KEY`")
	flag.StringVar(&o.magpie, "magpie", "127.0.0.1:8080", "where Magpie serves")
	flag.StringVar(&o.socket, "socket", "", "where browsers reach Magpie, such as wss://im.example.com; by default ws:// and --magpie")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:9000", "where the page is, and the application's webhook.url leads")
	flag.StringVar(&o.token, "token", "liveroom-example-token", "the application's webhook.token; empty: do not check")
	flag.StringVar(&o.room, "room", "liveroom", "the group id of the room")
	flag.StringVar(&o.title, "title", "The Magpie show", "the name of the room")
	flag.StringVar(&o.code, "host-code", "", "who knows it comes in as the host; by default it is made up at each start")
	flag.StringVar(&o.sdk, "sdk", "test/sdk/node_modules/@tencentcloud/chat/index.js", "the official SDK's file")
	flag.StringVar(&o.video, "video", "", "what the page plays: a WHEP address, or one that a browser's <video> takes")
	flag.StringVar(&o.livekit, "livekit", "", "LiveKit's `KEY:SECRET`, to sign its tokens with")
	flag.BoolVar(&o.try, "try", false, "try it: with a Magpie of its own and throwaway data")
	flag.Parse()
	return o
}

func main() {
	if err := run(flags()); err != nil {
		log.Fatal(err)
	}
}

func run(o *options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen for the page: %w", err)
	}
	if o.try {
		stop, err := try(ctx, o)
		defer stop()
		if err != nil {
			return err
		}
	}
	b, err := newBackEnd(o)
	if err != nil {
		return err
	}
	if err := b.open(ctx); err != nil {
		return err
	}
	go b.show(ctx)
	server := &http.Server{Handler: b.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	log.Printf("the room is open: http://%s/ for everybody, http://%[1]s/#host=%s for the host", listener.Addr(), b.options.code)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

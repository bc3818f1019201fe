// Command aibot is a chatbot on Magpie: users write to a robot, a language model answers, and they see the answer grow
// while it is written. README.md says how to run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	App    string `default:"1400000001:aibot-example-key" placeholder:"SDKAPPID:KEY" env:"MAGPIE_APP" help:"Application and its key."`
	Magpie string `default:"127.0.0.1:8080" help:"Where Magpie serves."`
	Listen string `default:"127.0.0.1:9000" help:"Where the bot is told of messages: the application's webhook.url."`
	Token  string `default:"aibot-example-token" env:"WEBHOOK_TOKEN" help:"The application's webhook.token; empty: do not check."`
	Robot  string `default:"@RBT#bot" help:"The robot's user id."`
	Prompt string `default:"You are a helpful assistant in a chat." help:"What the model is told first."`

	URL   string `name:"model-url" default:"https://api.openai.com/v1" env:"OPENAI_BASE_URL" help:"An OpenAI-compatible interface."`
	Key   string `name:"model-key" env:"OPENAI_API_KEY" help:"Its key."`
	Model string `default:"gpt-4o-mini" env:"OPENAI_MODEL" help:"The model's name."`
	Fake  bool   `help:"Try it: with a Magpie of its own, throwaway data, and a model that only pretends."`
}

func main() {
	var o options
	kong.Parse(&o)
	if err := run(&o); err != nil {
		log.Fatal(err)
	}
}

func run(o *options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen for callbacks: %w", err)
	}
	if o.Fake {
		stop, err := try(ctx, o)
		defer stop()
		if err != nil {
			return err
		}
	}
	b, err := newBot(o)
	if err != nil {
		return err
	}
	if err := b.call(ctx, "openim_robot_http_svc/create_robot", object{"UserID": o.Robot, "Nick": "Bot"}, &object{}); err != nil {
		return err
	}
	log.Printf("%s answers; its callbacks come to http://%s/", o.Robot, listener.Addr())
	server := &http.Server{Handler: b, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

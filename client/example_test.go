package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/usersig"
)

// signer stands for the app's back end, which holds the key.
func signer(context.Context) (string, error) {
	return usersig.Sign(1400000001, "the app's key", "echo", time.Hour, time.Now())
}

// A bot that says everything back. It answers from the callback, so it uses SendAsync.
func Example() {
	var bot *client.Client
	_, err := client.Dial(context.Background(), client.Options{
		URL: "ws://127.0.0.1:8080", AppID: 1400000001, UserID: "echo", UserSigFunc: signer,
		OnCreate: func(c *client.Client) { bot = c },
		OnMessage: func(m client.Message) {
			if m.From == bot.UserID() {
				return // sent from another device
			}
			err := bot.SendAsync(client.Outgoing{To: m.From, Elements: m.Elements}, nil)
			if err != nil {
				log.Print(err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	<-bot.Done()
	log.Print(bot.Err())
}

func ExampleClient_Send() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{
		URL: "ws://127.0.0.1:8080", AppID: 1400000001, UserID: "echo", UserSigFunc: signer,
	})
	if err != nil {
		log.Print(err)
		return
	}
	defer c.Close()
	sent, err := c.Send(ctx, client.Outgoing{To: "bob", Elements: []client.Element{client.Text("hello")}})
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println("refused with code", refused.Code)
		return
	}
	fmt.Println(sent.Key(), err)
}

func ExampleClient_Messages() {
	var c *client.Client // from Dial
	ctx := context.Background()
	for m, err := range c.Messages(ctx, "bob", client.HistoryQuery{Limit: 50}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Time, m.From, m.Text())
	}
}

func ExampleClient_Call() {
	var c *client.Client // from Dial
	var reply struct {
		GroupID string `json:"GroupId"`
	}
	request := struct{ Type, Name string }{"Public", "Readers"}
	err := c.Call(context.Background(), "group_open_http_svc.create_group", request, &reply)
	fmt.Println(reply.GroupID, err)
}

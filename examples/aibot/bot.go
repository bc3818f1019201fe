package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	answersAtOnce = 100
	answerWithin  = 3 * time.Minute
	mostPerCall   = 2000 // bytes; a message has room for several
	memory        = 20   // messages of a chat that the model is told of
	eventsKnown   = 1000 // for noticing a callback that comes again
)

// bot is told of messages to the robot, by the callback Bot.OnC2CMessage.
type bot struct {
	options *options
	app     uint32
	key     string
	busy    chan struct{} // an entry for each answer that is being written
	mutex   sync.Mutex
	known   []string // ids of the latest events
}

func newBot(o *options) (*bot, error) {
	b := &bot{options: o, busy: make(chan struct{}, answersAtOnce)}
	if _, err := fmt.Sscanf(o.App, "%d:%s", &b.app, &b.key); err != nil {
		return nil, errors.New("--app: want SDKAPPID:KEY")
	}
	return b, nil
}

// message is one as callbacks and history have it.
type message struct {
	From string `json:"From_Account"`
	To   string `json:"To_Account"`
	Key  string `json:"MsgKey"`
	Body []struct {
		Content struct{ Text, Data string } `json:"MsgContent"`
	} `json:"MsgBody"`
}

// text is what a text message says, or one of our own answers.
func (m *message) text() (text string) {
	for _, element := range m.Body {
		var answer struct{ Chunks []string }
		_ = json.Unmarshal([]byte(element.Content.Data), &answer) // other custom elements say nothing to a model
		text += element.Content.Text + strings.Join(answer.Chunks, "")
	}
	return text
}

// ServeHTTP takes a callback and answers at once; the answer to the user follows when there is one. With any other status
// than 200 the callback comes again later.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, m := r.URL.Query(), &message{}
	if !genuine(b.options.Token, query.Get("RequestTime"), query.Get("Sign"), time.Now()) {
		http.Error(w, "wrong signature", http.StatusForbidden)
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(m); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if query.Get("CallbackCommand") == "Bot.OnC2CMessage" && m.text() != "" {
		select {
		case b.busy <- struct{}{}:
			go b.answer(context.WithoutCancel(r.Context()), m, r.Header.Get("X-Magpie-Event-Id"))
		default:
			http.Error(w, "too many questions at once", http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = w.Write([]byte(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`))
}

// genuine checks that the callback comes from who knows the token, and is no copy of an old one.
func genuine(token, second, sign string, now time.Time) bool {
	at, err := strconv.ParseInt(second, 10, 64)
	return token == "" || err == nil && now.Sub(time.Unix(at, 0)).Abs() <= time.Minute && sign == signed(token, second)
}

func signed(token, second string) string {
	sum := sha256.Sum256([]byte(token + second))
	return hex.EncodeToString(sum[:])
}

// isNew tells whether an event comes for the first time: it is delivered at least once.
func (b *bot) isNew(event string) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if event != "" && slices.Contains(b.known, event) {
		return false
	}
	b.known = append(b.known[max(0, len(b.known)-eventsKnown+1):], event)
	return true
}

// answer has the model write, and streams what it writes into one message.
func (b *bot) answer(ctx context.Context, question *message, event string) {
	defer func() { <-b.busy }()
	if !b.isNew(event) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	pieces := make(chan string, 100)
	go func() {
		defer close(pieces)
		chat, err := b.chat(ctx, question)
		if err == nil {
			err = b.ask(ctx, chat, func(piece string) { pieces <- piece })
		}
		if err != nil {
			log.Printf("answer %s: %v", question.From, err)
			pieces <- "(I cannot answer now.)"
		}
	}()
	if err := b.stream(ctx, question, pieces); err != nil {
		log.Printf("answer %s: %v", question.From, err)
		cancel()
		for range pieces { // nobody reads the rest
		}
	}
}

// chat is what was said up to the question. Magpie keeps it, so that the bot need not.
func (b *bot) chat(ctx context.Context, question *message) ([]turn, error) {
	var page struct{ MsgList []message }
	err := b.call(ctx, "openim/admin_getroammsg", object{"Operator_Account": question.To, "Peer_Account": question.From,
		"MaxCnt": memory, "MinTime": 0, "MaxTime": time.Now().Unix() + 1}, &page)
	chat := []turn{{"system", b.options.Prompt}}
	for _, m := range page.MsgList {
		role := map[bool]string{true: "assistant", false: "user"}[m.From == question.To]
		chat = append(chat, turn{role, m.text()})
		if m.Key == question.Key {
			break
		}
	}
	return chat, err
}

// stream sends the pieces as they come; what came while a call was under way goes with the next one.
func (b *bot) stream(ctx context.Context, question *message, pieces <-chan string) error {
	key := ""
	for open := true; open; {
		var text string
		text, open = <-pieces
		for len(pieces) > 0 && len(text) < mostPerCall {
			text += <-pieces
		}
		if err := b.send(ctx, question, &key, text, !open); err != nil {
			return err
		}
	}
	return nil
}

// send adds to the message of that key, or begins one. An answer too long for one message goes on in another.
func (b *bot) send(ctx context.Context, question *message, key *string, chunk string, last bool) error {
	var reply struct{ MsgKey string }
	err := b.call(ctx, "openim_robot_http_svc/send_stream_msg", object{"From_Account": question.To,
		"To_Account": question.From, "Chunk": chunk, "MsgKey": *key, "Finish": map[bool]int{true: 1}[last]}, &reply)
	var refused *refusal
	if *key != "" && errors.As(err, &refused) && refused.Code == tooLong {
		if err := b.send(ctx, question, key, "", true); err != nil {
			return err
		}
		*key = ""
		return b.send(ctx, question, key, chunk, last)
	}
	*key = reply.MsgKey
	return err
}

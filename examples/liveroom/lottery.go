package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
)

// mostTickets bounds who takes part in a lottery.
const mostTickets = 100_000

// lottery is the one that is open, or that was drawn last. Who says its word in the chat takes part, once.
type lottery struct {
	word, prize string // word is empty while none is open
	entered     map[string]bool
	order       []string // the same accounts, to draw from
}

// running asks to open a lottery, or to draw the one that is open.
type running struct {
	Ticket string `json:"ticket"`
	Word   string `json:"word"`
	Prize  string `json:"prize"`
	Draw   bool   `json:"draw"`
}

type drawn struct {
	Entered int    `json:"entered"`
	Winner  string `json:"winner,omitempty"`
}

func (b *backEnd) runLottery(ctx context.Context, r *running) (*drawn, error) {
	if err := b.owner(ctx, r.Ticket); err != nil {
		return nil, err
	}
	if r.Draw {
		return b.draw(ctx)
	}
	word, prize := strings.TrimSpace(r.Word), strings.TrimSpace(r.Prize)
	if word == "" || prize == "" || len(word) > 50 || len(prize) > 100 {
		return nil, &wrong{http.StatusBadRequest, "A lottery has a word to say and a prize, and neither is long."}
	}
	b.mutex.Lock()
	b.lottery = lottery{word: word, prize: prize, entered: map[string]bool{}}
	b.mutex.Unlock()
	text, _ := json.Marshal(object{"word": word, "prize": prize}) // of strings
	return &drawn{}, b.state(ctx, object{"lottery": string(text)})
}

// draw ends the lottery. The room's attribute says so to who comes later, the house to those inside.
func (b *backEnd) draw(ctx context.Context) (*drawn, error) {
	b.mutex.Lock()
	was := b.lottery
	b.lottery = lottery{}
	b.mutex.Unlock()
	if was.word == "" {
		return nil, &wrong{http.StatusConflict, "No lottery is open."}
	}
	result := &drawn{Entered: len(was.order)}
	if result.Entered > 0 {
		result.Winner = was.order[rand.IntN(result.Entered)] // for prizes of value, draw with crypto/rand and keep a record
	}
	if err := b.state(ctx, object{"lottery": ""}); err != nil {
		return nil, err
	}
	text, _ := json.Marshal(object{"businessID": "winner", "winner": result.Winner, "prize": was.prize}) // of strings
	return result, b.tell(ctx, string(text))
}

// enter notes who said the word of the lottery that is open; the caller holds the mutex.
func (b *backEnd) enter(userID, text string) {
	l := &b.lottery
	if l.word == "" || strings.TrimSpace(text) != l.word || l.entered[userID] || len(l.order) >= mostTickets || userID == host {
		return
	}
	l.entered[userID] = true
	l.order = append(l.order, userID)
}

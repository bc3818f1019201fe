package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

const (
	coinsAtFirst = 500
	mostAtOnce   = 100 // gifts of one request
)

// prices are the gifts that can be given, and what each costs.
func prices() object { return object{"flower": 1, "cake": 10, "rocket": 100} }

// giving asks to give something. A page that is clicked many times in a moment asks once, with their number.
type giving struct {
	Ticket string `json:"ticket"`
	Gift   string `json:"gift"`
	Count  int    `json:"count"`
}

type given struct {
	Coins int `json:"coins"`
}

// gift takes the coins first and tells the room then, in one message for all of them. If Magpie does not take the message, the
// coins go back.
func (b *backEnd) gift(ctx context.Context, g *giving) (*given, error) {
	userID, err := b.holder(g.Ticket)
	if err != nil {
		return nil, err
	}
	price, sold := prices()[g.Gift].(int)
	if !sold || g.Count < 1 || g.Count > mostAtOnce {
		return nil, &wrong{http.StatusBadRequest, fmt.Sprintf("Want a gift of the list, 1 to %d times.", mostAtOnce)}
	}
	if inside, err := b.isInside(ctx, userID); err != nil || !inside {
		return nil, orWrong(err, http.StatusForbidden, "Gifts are given from inside the room.")
	}
	left, enough := b.pay(userID, price*g.Count)
	if !enough {
		return nil, &wrong{http.StatusPaymentRequired, fmt.Sprintf("That costs %d coins, and you have %d.", price*g.Count, left)}
	}
	text, _ := json.Marshal(object{"businessID": "gift", "from": userID, "gift": g.Gift, "count": g.Count}) // of strings and numbers
	if err := b.tell(ctx, string(text)); err != nil {
		b.pay(userID, -price*g.Count)
		return nil, err
	}
	b.figuresOf(func(f *figures) { f.Gifts += g.Count; f.Coins += price * g.Count })
	return &given{left}, nil
}

func orWrong(err error, status int, why string) error {
	if err != nil {
		return err
	}
	return &wrong{status, why}
}

func (b *backEnd) wallet(userID string) int {
	left, _ := b.pay(userID, 0)
	return left
}

// pay takes coins from an account that has as many, and tells what is left. Everybody begins with some.
func (b *backEnd) pay(userID string, coins int) (left int, enough bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	has, known := b.coins[userID]
	if !known {
		has = coinsAtFirst
	}
	if coins > has {
		return has, false
	}
	if coins != 0 {
		b.coins[userID] = has - coins
	}
	return has - coins, true
}

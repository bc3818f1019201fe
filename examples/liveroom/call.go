package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/magpie-im/magpie/usersig"
)

type object map[string]any

// refusal is Magpie's answer with another code than 0.
type refusal struct {
	Code int    `json:"ErrorCode"`
	Info string `json:"ErrorInfo"`
}

func (r *refusal) Error() string { return fmt.Sprint(r.Code, " ", r.Info) }

const (
	groupExists  = 10021 // the room is there, and somebody else's
	groupIsMine  = 10025 // the room is there, and has this owner
	callWithin   = 5 * time.Second
	largestReply = 1 << 20 // bytes
)

// call calls Magpie's REST interface as the application's administrator.
func (b *backEnd) call(ctx context.Context, command string, request, reply any) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	sig, err := usersig.Sign(b.app, b.key, "administrator", time.Minute, time.Now())
	if err != nil {
		return err
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("http://%s/v4/%s?sdkappid=%d&identifier=administrator&usersig=%s&random=%d&contenttype=json",
		b.options.magpie, command, b.app, sig, rand.Uint32())
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(asked)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, largestReply))
	if err != nil {
		return err
	}
	refused := &refusal{}
	if err := errors.Join(json.Unmarshal(text, refused), json.Unmarshal(text, reply)); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if refused.Code != 0 {
		return fmt.Errorf("%s: %w", command, refused)
	}
	return nil
}

// isRefused tells whether a call was refused with one of these codes.
func isRefused(err error, codes ...int) bool {
	var refused *refusal
	if !errors.As(err, &refused) {
		return false
	}
	for _, code := range codes {
		if refused.Code == code {
			return true
		}
	}
	return false
}

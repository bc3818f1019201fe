package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
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

const tooLong = 93000

// call calls Magpie's REST interface as the application's administrator.
func (b *bot) call(ctx context.Context, command string, request, reply any) error {
	sig, err := usersig.Sign(b.app, b.key, "administrator", time.Minute, time.Now())
	if err != nil {
		return err
	}
	address := fmt.Sprintf("http://%s/v4/%s?sdkappid=%d&identifier=administrator&usersig=%s&random=%d&contenttype=json",
		b.options.Magpie, command, b.app, sig, rand.Uint32())
	return post(ctx, address, "", request, func(answer io.Reader) error {
		text, err := io.ReadAll(answer)
		if err != nil {
			return err
		}
		refused := &refusal{}
		if err := errors.Join(json.Unmarshal(text, refused), json.Unmarshal(text, reply)); err != nil {
			return err
		}
		if refused.Code != 0 {
			return fmt.Errorf("%s: %w", command, refused)
		}
		return nil
	})
}

// turn is one message of a chat as models read it: of the "system", the "user" or the "assistant".
type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ask has the model go on with a chat and passes on what it writes, piece by piece.
func (b *bot) ask(ctx context.Context, chat []turn, say func(piece string)) error {
	request := object{"model": b.options.Model, "messages": chat, "stream": true}
	return post(ctx, b.options.URL+"/chat/completions", b.options.Key, request, func(answer io.Reader) error {
		lines := bufio.NewScanner(answer)
		for lines.Scan() {
			var event struct {
				Choices []struct{ Delta struct{ Content string } }
			}
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok || data == "[DONE]" {
				continue
			}
			if err := json.Unmarshal([]byte(data), &event); err != nil {
				return err
			}
			for _, choice := range event.Choices {
				say(choice.Delta.Content)
			}
		}
		return lines.Err()
	})
}

// post sends JSON and has the answer read.
func post(ctx context.Context, url, key string, body any, read func(io.Reader) error) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	return read(response.Body)
}

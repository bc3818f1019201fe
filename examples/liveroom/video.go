package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// mayStream is the room's rule for its picture: its owner publishes, and who is inside plays. Media servers ask before each.
func (b *backEnd) mayStream(ctx context.Context, ticket, stream string, publish bool) error {
	userID, err := b.holder(ticket)
	if err != nil {
		return err
	}
	if stream != b.options.room {
		return &wrong{http.StatusForbidden, "There is no room of that name."}
	}
	if publish {
		return b.owner(ctx, ticket)
	}
	inside, err := b.isInside(ctx, userID)
	if err == nil && !inside {
		err = &wrong{http.StatusForbidden, "Only who is inside the room may watch."}
	}
	return err
}

// mediaMTX answers MediaMTX's external authentication: 200 is yes, 401 asks the client for what it left out, anything else is no.
// The ticket is a bearer token, a password, or stands in the address.
func (b *backEnd) mediaMTX(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Password, Token, Action, Path, Query string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if asked.Action != "publish" && asked.Action != "read" { // recordings and the server's own interface are the operator's
		http.Error(w, "Only publish and read are answered here.", http.StatusForbidden)
		return
	}
	ticket := firstOf(asked.Token, asked.Password, ticketIn(asked.Query))
	if err := b.mayStream(r.Context(), ticket, asked.Path, asked.Action == "publish"); err != nil {
		fail(w, err)
	}
}

// srs answers the HTTP callbacks of SRS: code 0 is yes. The ends of streams are told too, and nothing is to be decided then.
func (b *backEnd) srs(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Action, Stream, Param string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	switch asked.Action {
	case "on_publish", "on_play":
		if err := b.mayStream(r.Context(), ticketIn(asked.Param), asked.Stream, asked.Action == "on_publish"); err != nil {
			fail(w, err)
			return
		}
	case "on_unpublish", "on_stop":
	default:
		http.Error(w, "Only publishing and playing are answered here.", http.StatusForbidden)
		return
	}
	_, _ = w.Write([]byte(`{"code":0}`))
}

func ticketIn(query string) string {
	values, _ := url.ParseQuery(strings.TrimPrefix(query, "?")) // what cannot be read holds no ticket
	return values.Get("ticket")
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// liveKitFor is short, as it is only needed to connect.
const liveKitFor = 5 * time.Minute

// liveKit signs a token for LiveKit, which asks nobody when somebody comes: what the holder may do stands in the token.
func (b *backEnd) liveKit(ctx context.Context, who *asking) (object, error) {
	key, secret, on := strings.Cut(b.options.livekit, ":")
	if !on {
		return nil, &wrong{http.StatusNotFound, "This room has no LiveKit: start it with --livekit KEY:SECRET."}
	}
	userID, err := b.holder(who.Ticket)
	if err != nil {
		return nil, err
	}
	publishes, err := b.isOwner(ctx, userID)
	if err != nil {
		return nil, err
	}
	if err := b.mayStream(ctx, who.Ticket, b.options.room, publishes); err != nil {
		return nil, err
	}
	now := time.Now()
	return object{"token": jwt(secret, object{"iss": key, "sub": userID, "nbf": now.Unix(), "exp": now.Add(liveKitFor).Unix(),
		"video": object{"roomJoin": true, "room": b.options.room, "canPublish": publishes, "canSubscribe": true, "canPublishData": false}})}, nil
}

// jwt signs claims with HMAC-SHA256.
func jwt(secret string, claims object) string {
	text, _ := json.Marshal(claims) // of strings, numbers and truths
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(text)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

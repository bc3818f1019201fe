package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/magpie-im/magpie/usersig"
)

const (
	sessionFor  = 12 * time.Hour
	longestName = 20 // runes
)

// visitor is who asks to come in: with a name, or with the code of the host.
type visitor struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// session is what a page comes in with.
type session struct {
	SDKAppID uint32 `json:"sdkAppID"`
	Socket   string `json:"socket"`
	Room     string `json:"room"`
	UserID   string `json:"userID"`
	UserSig  string `json:"userSig"`
	Ticket   string `json:"ticket"`
	Host     bool   `json:"host"`
	House    string `json:"house"`
	Coins    int    `json:"coins"`
	Prices   object `json:"prices"`
}

// session takes a visitor in. Here a name is enough, and is the first comer's; a real back end asks for a password, or whatever
// its application knows its users by.
func (b *backEnd) session(ctx context.Context, who *visitor) (*session, error) {
	userID, name := "", strings.TrimSpace(who.Name)
	switch {
	case who.Code != "" && subtle.ConstantTimeCompare([]byte(who.Code), []byte(b.options.code)) == 1:
		userID, name = host, "Host"
	case who.Code != "":
		return nil, &wrong{http.StatusForbidden, "That is not the host's code."}
	case name == "" || utf8.RuneCountInString(name) > longestName || strings.ContainsFunc(name, unicode.IsControl):
		return nil, &wrong{http.StatusBadRequest, "A name has 1 to 20 characters."}
	default:
		userID = userOf(name)
	}
	if err := b.call(ctx, "im_open_login_svc/account_import", object{"UserID": userID, "Nick": name}, &object{}); err != nil {
		return nil, err
	}
	return b.admit(userID)
}

// userOf gives a name's user id, which has room for less than a name in every script needs.
func userOf(name string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(name)))
	return "guest-" + hex.EncodeToString(sum[:8])
}

func (b *backEnd) admit(userID string) (*session, error) {
	sig, err := usersig.Sign(b.app, b.key, userID, sessionFor, time.Now())
	if err != nil {
		return nil, err
	}
	ticket, err := usersig.Sign(b.app, b.secret, userID, sessionFor, time.Now())
	if err != nil {
		return nil, err
	}
	return &session{
		SDKAppID: b.app, Socket: b.options.socket, Room: b.options.room, UserID: userID, UserSig: sig, Ticket: ticket,
		Host: userID == host, House: house, Coins: b.wallet(userID), Prices: prices(),
	}, nil
}

// holder tells whose ticket it is. A ticket is signed as a UserSig is, with a key that Magpie does not know: it proves to this
// back end and its media server who somebody is, and logs nobody in. So it may stand in the address of a stream.
func (b *backEnd) holder(ticket string) (userID string, err error) {
	said, err := usersig.Parse(ticket)
	if err == nil {
		_, err = usersig.Verify(ticket, b.app, said.UserID, usersig.Keys{Secret: b.secret}, time.Now())
	}
	if err != nil {
		return "", &wrong{http.StatusUnauthorized, "The ticket is not good, or not any more: come in again."}
	}
	return said.UserID, nil
}

// owner is holder for what only the room's owner may do.
func (b *backEnd) owner(ctx context.Context, ticket string) error {
	userID, err := b.holder(ticket)
	if err != nil {
		return err
	}
	is, err := b.isOwner(ctx, userID)
	if err == nil && !is {
		err = &wrong{http.StatusForbidden, "Only the owner of the room may do that."}
	}
	return err
}

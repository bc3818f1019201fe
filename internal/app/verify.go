package app

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/usersig"
)

// Verify checks a UserSig and gives what it proves, or the refusal with the reference system's code.
func (t *Tenant) Verify(sig, userID string, now time.Time) (usersig.Claims, error) {
	claims, _, err := t.Prove(sig, userID, now)
	return claims, err
}

// Mark names a key without telling it. Zero names none.
type Mark uint64

func markOf(secret string) Mark {
	sum := sha256.Sum256([]byte("magpie key mark " + secret))
	return Mark(binary.BigEndian.Uint64(sum[:]) | 1)
}

// Prove is Verify that also says which of the application's keys has made the UserSig.
func (t *Tenant) Prove(sig, userID string, now time.Time) (usersig.Claims, Mark, error) {
	if t.Disabled {
		return usersig.Claims{}, 0, im.Errorf(im.CodeAppDisabled, "the application %d is disabled", t.App.ID)
	}
	secret := t.Keys.Secret
	claims, err := usersig.Verify(sig, uint32(t.App.ID), userID, t.Keys, now)
	if errors.Is(err, usersig.ErrBadSignature) && t.formerCounts(now) {
		secret = t.Former
		claims, err = usersig.Verify(sig, uint32(t.App.ID), userID, usersig.Keys{Secret: secret, Public: t.Keys.Public}, now)
	}
	if err != nil {
		return claims, 0, refuse(err)
	}
	if claims.Version != usersig.VersionHMAC {
		return claims, markOf(t.public), nil
	}
	return claims, markOf(secret), nil
}

func (t *Tenant) formerCounts(now time.Time) bool { return t.Former != "" && now.Before(t.FormerUntil) }

// Marks are those of the keys whose UserSigs count now; none when the application is disabled.
func (t *Tenant) Marks(now time.Time) []Mark {
	if t.Disabled {
		return nil
	}
	marks := []Mark{markOf(t.Keys.Secret)}
	if t.formerCounts(now) {
		marks = append(marks, markOf(t.Former))
	}
	if t.Keys.Public != nil {
		marks = append(marks, markOf(t.public))
	}
	return marks
}

// refuse gives what is wrong with a UserSig the reference system's code.
func refuse(err error) error {
	var field *usersig.FieldError
	if errors.As(err, &field) {
		return im.Errorf(im.CodeSigMalformed, "the UserSig's %s %s", field.Field, field.Why)
	}
	for _, row := range []struct {
		cause error
		code  im.Code
		info  string
	}{
		{usersig.ErrEmpty, im.CodeSigEmpty, "the UserSig is empty"},
		{usersig.ErrMalformed, im.CodeSigMalformed, "the UserSig cannot be read; was it cut short or encoded twice?"},
		{usersig.ErrExpired, im.CodeSigExpired, "the UserSig has expired"},
		{usersig.ErrBadSignature, im.CodeSigMismatch, "the UserSig was not made with this application's key"},
		{usersig.ErrWrongUser, im.CodeSigWrongUser, "the UserSig was made for another user"},
		{usersig.ErrWrongApp, im.CodeSigWrongApp, "the UserSig was made for another SDKAppID"},
		{usersig.ErrNoKey, im.CodeSigNoKey, "the application has no key for this kind of UserSig"},
	} {
		if errors.Is(err, row.cause) {
			return im.Errorf(row.code, "%s", row.info)
		}
	}
	return fmt.Errorf("verify UserSig: %w", err)
}

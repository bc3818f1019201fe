package usersig

import (
	"crypto/hmac"
	"time"
)

// Keys is what an app's signatures are checked against. An app that moved from ECDSA to HMAC has both and accepts both
// formats; a signature is only ever checked with the key of its own format. The zero value accepts nothing.
type Keys struct {
	// Secret is the HMAC key. Empty means that version 2.0 signatures are not accepted.
	Secret string
	// Public is the ECDSA key. Nil means that signatures of the older format are not accepted.
	Public *PublicKey
}

// Verify decides whether the UserSig proves that its bearer is this user of this app at this time, and returns what it says.
// A caller that takes no user buffer at its door must look at [Claims.UserBuf] itself.
//
// The first of these that holds is the error: [ErrEmpty], [ErrMalformed], [ErrWrongApp], [ErrWrongUser], [ErrNoKey],
// [ErrBadSignature], [ErrExpired]. Expiry comes last so that nobody learns it about a signature he made up. The last second
// of the lifetime still counts as good, and a signature from the future is good: clocks differ, and only the app can make
// one. With an error the claims are zero.
func Verify(sig string, appID uint32, userID string, keys Keys, now time.Time) (Claims, error) {
	t, err := parse(sig)
	switch {
	case err != nil:
		return Claims{}, err
	case t.claims.AppID != appID:
		return Claims{}, ErrWrongApp
	case t.claims.UserID != userID:
		return Claims{}, ErrWrongUser
	}
	if err := keys.check(t); err != nil {
		return Claims{}, err
	}
	if t.claims.expired(now) {
		return Claims{}, ErrExpired
	}
	return t.claims, nil
}

func (k Keys) check(t token) error {
	if t.claims.Version == VersionHMAC {
		return checkHMAC(k.Secret, t)
	}
	return checkECDSA(k.Public, t)
}

func checkHMAC(secret string, t token) error {
	if secret == "" { // an HMAC under the empty key is one that anybody can make
		return ErrNoKey
	}
	if !hmac.Equal(t.proof, authenticate(secret, t.text)) {
		return ErrBadSignature
	}
	return nil
}

func checkECDSA(public *PublicKey, t token) error {
	if public == nil || public.verify == nil {
		return ErrNoKey
	}
	if !public.verify(digest(t.text), t.proof) {
		return ErrBadSignature
	}
	return nil
}

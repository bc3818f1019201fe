package device

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// token is what a device shows instead of a UserSig when it comes back ("A2Key", docs/protocol/wire.md#login). It is
// signed with a secret that all nodes share, so it verifies on any node and after a restart; the device's row says whether
// the device was kicked since.
type token struct {
	app     im.AppID
	account im.AccountID
	device  im.DeviceID
	expires int64    // unix second
	key     app.Mark // the application's key by which the device logged in; not in the text, but in the proof
}

const (
	tokenVersion = 2
	tokenBytes   = 1 + 4 + 8 + 8 + 8
	tokenMAC     = 16
)

// tokenKey is the secret that signs tokens.
type tokenKey struct{ secret []byte }

// load reads the secret, making it at the very first start.
func (k *tokenKey) load(ctx context.Context, store *db.DB) error {
	secret := make([]byte, sha256.Size)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("make token secret: %w", err)
	}
	err := store.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO secret (name, value) VALUES ('token', $1) ON CONFLICT (name) DO NOTHING`,
			secret); err != nil {
			return err
		}
		var err error
		k.secret, err = db.One(ctx, tx, func(scan db.Scanner) ([]byte, error) {
			var value []byte
			err := scan(&value)
			return value, err
		}, `SELECT value FROM secret WHERE name = 'token'`)
		return err
	})
	if err != nil {
		return fmt.Errorf("load token secret: %w", err)
	}
	return nil
}

func (k *tokenKey) sign(t token) string {
	text := make([]byte, 0, tokenBytes+tokenMAC)
	text = append(text, tokenVersion)
	text = binary.BigEndian.AppendUint32(text, uint32(t.app))
	text = binary.BigEndian.AppendUint64(text, uint64(t.account))
	text = binary.BigEndian.AppendUint64(text, uint64(t.device))
	text = binary.BigEndian.AppendUint64(text, uint64(t.expires))
	return base64.RawURLEncoding.EncodeToString(append(text, k.mac(text, t.key)...))
}

func (k *tokenKey) mac(text []byte, of app.Mark) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write(text)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(of)))
	return h.Sum(nil)[:tokenMAC]
}

var errToken = errors.New("device: not a session token of this service")

// verify reads a token of a login by one of the keys.
func (k *tokenKey) verify(text string, keys []app.Mark) (token, error) {
	if len(text) > base64.RawURLEncoding.EncodedLen(tokenBytes+tokenMAC) {
		return token{}, errToken
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != tokenBytes+tokenMAC || b[0] != tokenVersion {
		return token{}, errToken
	}
	at := slices.IndexFunc(keys, func(key app.Mark) bool { return hmac.Equal(b[tokenBytes:], k.mac(b[:tokenBytes], key)) })
	if at < 0 {
		return token{}, errToken
	}
	return token{
		app:     im.AppID(binary.BigEndian.Uint32(b[1:])),
		account: im.AccountID(binary.BigEndian.Uint64(b[5:])),
		device:  im.DeviceID(binary.BigEndian.Uint64(b[13:])),
		expires: int64(binary.BigEndian.Uint64(b[21:])),
		key:     keys[at],
	}, nil
}

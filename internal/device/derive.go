package device

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Derive makes a key for one purpose of the secret that all nodes share: the same on every node and after every start.
func (d *Devices) Derive(purpose string) []byte {
	h := hmac.New(sha256.New, d.tokens.secret)
	h.Write([]byte("key for " + purpose)) // tokens begin with another byte
	return h.Sum(nil)
}

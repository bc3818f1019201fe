package usersig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"time"
)

// buildOld is what ECDSA generators write as their version. No reader looks at it.
const buildOld = "201610110000"

// Sign makes a version 2.0 UserSig with the app's secret key, good from now until expire has passed. The secret is taken as
// the text that the console shows: hexadecimal digits are not decoded.
//
// Fractions of a second are dropped from now and expire. The error is [ErrNoKey] for an empty key, and [ErrMalformed] for an
// app ID of zero, a user ID that is empty, not UTF-8 or has control characters, a lifetime under one second or over 136
// years, and a result longer than [MaxLen].
func Sign(appID uint32, key, userID string, expire time.Duration, now time.Time) (string, error) {
	return SignClaims(Claims{AppID: appID, UserID: userID, IssuedAt: now, Expire: expire}, key)
}

// SignECDSA makes a UserSig of the older format with a private key in PEM: an "EC PRIVATE KEY" or an unencrypted
// "PRIVATE KEY" (PKCS#8), on secp256k1 or P-256, with the curve given by name and not by its parameters. The same arguments
// always make the same signature.
//
// The errors are those of [Sign], with [ErrNoKey] also for a key that cannot be read.
func SignECDSA(appID uint32, privateKeyPEM, userID string, expire time.Duration, now time.Time) (string, error) {
	c := Claims{Version: VersionECDSA, AppID: appID, UserID: userID, IssuedAt: now, Expire: expire}
	return SignClaims(c, privateKeyPEM)
}

// SignClaims signs any claims, also with a user buffer. The key is the secret for [VersionHMAC] and the private key's PEM for
// [VersionECDSA]; the errors are those of [Sign] and [SignECDSA].
func SignClaims(c Claims, key string) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	if c.Version == VersionECDSA {
		return signECDSA(c, key)
	}
	return signHMAC(c, key)
}

// check refuses claims that Parse would refuse, and a lifetime that is over before anyone can use it.
func (c Claims) check() error {
	at := c.IssuedAt.Unix()
	switch {
	case c.Version != "" && c.Version != VersionHMAC && c.Version != VersionECDSA:
		return malformed("unknown version")
	case c.AppID == 0:
		return malformed("app ID is zero")
	case c.UserID == "" || !fitsLine(c.UserID):
		return malformed("user ID is empty or has characters that cannot be signed")
	case at < 0 || at > maxIssuedAt:
		return malformed("time of signing is out of range")
	case seconds(c) < 1 || seconds(c) > maxExpire:
		return malformed("lifetime is out of range")
	}
	return nil
}

func signHMAC(c Claims, secret string) (string, error) {
	if secret == "" {
		return "", noKey("secret is empty")
	}
	return packJSON(struct {
		Version string  `json:"TLS.ver"`
		User    string  `json:"TLS.identifier"`
		App     uint32  `json:"TLS.sdkappid"`
		Time    int64   `json:"TLS.time"`
		Expire  int64   `json:"TLS.expire"`
		UserBuf *[]byte `json:"TLS.userbuf,omitempty"`
		Proof   []byte  `json:"TLS.sig"`
	}{VersionHMAC, c.UserID, c.AppID, c.IssuedAt.Unix(), seconds(c), present(c.UserBuf), authenticate(secret, textHMAC(c))})
}

func signECDSA(c Claims, privateKeyPEM string) (string, error) {
	sign, err := parsePrivateKey(privateKeyPEM)
	if err != nil {
		return "", err
	}
	ours := "0"
	proof, err := sign(digest(textECDSA(c, origin{accountType: ours, thirdApp: &ours})))
	if err != nil {
		return "", noKey("cannot sign with it")
	}
	return packJSON(struct {
		AccountType string  `json:"TLS.account_type"`
		User        string  `json:"TLS.identifier"`
		ThirdApp    string  `json:"TLS.appid_at_3rd"`
		App         uint32  `json:"TLS.sdk_appid,string"`
		Expire      int64   `json:"TLS.expire_after,string"`
		Build       string  `json:"TLS.version"`
		Time        int64   `json:"TLS.time,string"`
		UserBuf     *[]byte `json:"TLS.userbuf,omitempty"`
		Proof       []byte  `json:"TLS.sig"`
	}{ours, c.UserID, ours, c.AppID, seconds(c), buildOld, c.IssuedAt.Unix(), present(c.UserBuf), proof})
}

// present is nil without a buffer: "omitempty" alone would also drop one that is empty but signed.
func present(buf []byte) *[]byte {
	if buf == nil {
		return nil
	}
	return &buf
}

func packJSON(document any) (string, error) {
	b, err := json.Marshal(document)
	if err != nil {
		return "", err
	}
	return pack(b)
}

func authenticate(secret string, text []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(text)
	return h.Sum(nil)
}

func digest(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

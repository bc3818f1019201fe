package usersig

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Names of the members of the JSON object and of the lines of the signed text. The two formats share some of them.
const (
	fieldVersion = "TLS.ver"
	fieldUser    = "TLS.identifier"
	fieldTime    = "TLS.time"
	fieldUserBuf = "TLS.userbuf"
	fieldProof   = "TLS.sig"

	fieldApp    = "TLS.sdkappid" // HMAC
	fieldExpire = "TLS.expire"

	fieldAppOld      = "TLS.sdk_appid" // ECDSA
	fieldExpireOld   = "TLS.expire_after"
	fieldAccountType = "TLS.account_type"
	fieldThirdApp    = "TLS.appid_at_3rd"
)

// origin is what only the ECDSA format says: the account system the user comes from. An app with its own users has "0" and
// "0"; the oldest signatures have no third-party app at all, and then no line for it.
type origin struct {
	accountType string
	thirdApp    *string
}

// textHMAC is the text under an HMAC. It is made anew from the claims instead of being cut out of the signature, so what is
// proven is exactly what the caller is told.
func textHMAC(c Claims) []byte {
	text := line(nil, fieldUser, c.UserID)
	text = line(text, fieldApp, decimal(int64(c.AppID)))
	text = line(text, fieldTime, decimal(c.IssuedAt.Unix()))
	text = line(text, fieldExpire, decimal(seconds(c)))
	return userBufLine(text, c)
}

// textECDSA is the text under an ECDSA signature.
func textECDSA(c Claims, from origin) []byte {
	var text []byte
	if from.thirdApp != nil {
		text = line(text, fieldThirdApp, *from.thirdApp)
	}
	text = line(text, fieldAccountType, from.accountType)
	text = line(text, fieldUser, c.UserID)
	text = line(text, fieldAppOld, decimal(int64(c.AppID)))
	text = line(text, fieldTime, decimal(c.IssuedAt.Unix()))
	text = line(text, fieldExpireOld, decimal(seconds(c)))
	return userBufLine(text, c)
}

func userBufLine(text []byte, c Claims) []byte {
	if c.UserBuf == nil {
		return text
	}
	return line(text, fieldUserBuf, base64.StdEncoding.EncodeToString(c.UserBuf))
}

func line(text []byte, name, value string) []byte {
	text = append(text, name...)
	text = append(text, ':')
	text = append(text, value...)
	return append(text, '\n')
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func seconds(c Claims) int64 { return int64(c.Expire / time.Second) }

// fitsLine keeps a value from saying more than its own line. With a line break inside, the text signed for one user would be
// the text of another: "a\nTLS.sdkappid:1" begins like user "a" of app 1. A replacement character means that an encoder on
// the way could not keep the original, so two users may have become one; ranging over invalid UTF-8 yields it too.
func fitsLine(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
}

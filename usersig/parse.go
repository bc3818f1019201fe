package usersig

import "time"

// token is a signature taken apart: what it says, the text that was signed, and the proof that it was.
type token struct {
	claims Claims
	text   []byte
	proof  []byte // the HMAC, or an ECDSA signature in DER
}

// Parse reads what a UserSig says without asking whether it is true: nothing in the result may be relied on before [Verify].
// It is for finding out which app's key to verify with, and for showing a signature to the person who debugs it.
//
// The error is [ErrEmpty] or [ErrMalformed], and the claims are then zero.
func Parse(sig string) (Claims, error) {
	t, err := parse(sig)
	return t.claims, err
}

func parse(sig string) (token, error) {
	document, err := unpack(sig)
	if err != nil {
		return token{}, err
	}
	f, err := readFields(document)
	if err != nil {
		return token{}, err
	}
	read := f.ecdsaToken
	if f.has(fieldVersion) {
		read = f.hmacToken
	}
	t := read()
	if f.err != nil {
		return token{}, f.err
	}
	return t, nil
}

func (f *fields) hmacToken() token {
	if f.text(fieldVersion) != VersionHMAC {
		f.fail(fieldVersion, "is unknown")
	}
	c := f.claims(fieldApp, fieldExpire)
	c.Version = VersionHMAC
	return token{claims: c, text: textHMAC(c), proof: f.proof()}
}

func (f *fields) ecdsaToken() token {
	c := f.claims(fieldAppOld, fieldExpireOld)
	c.Version = VersionECDSA
	from := origin{accountType: f.textOrNumber(fieldAccountType)}
	if f.has(fieldThirdApp) {
		third := f.textOrNumber(fieldThirdApp)
		from.thirdApp = &third
	}
	return token{claims: c, text: textECDSA(c, from), proof: f.proof()}
}

// claims reads the fields that both formats have; two of them go by different names.
func (f *fields) claims(app, expire string) Claims {
	c := Claims{
		AppID:    uint32(f.number(app, 1<<32-1)),
		UserID:   f.text(fieldUser),
		IssuedAt: time.Unix(f.seconds(fieldTime, maxIssuedAt), 0).UTC(),
		Expire:   time.Duration(f.seconds(expire, maxExpire)) * time.Second,
	}
	if c.AppID == 0 {
		f.fail(app, "is zero")
	}
	if c.UserID == "" {
		f.fail(fieldUser, "is empty")
	}
	if f.has(fieldUserBuf) {
		c.UserBuf = f.signedBytes(fieldUserBuf)
	}
	return c
}

package usersig_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/usersig"
)

const (
	appID  = 1400000000
	secret = "the text that the console shows"
)

func Example() {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	sig, err := usersig.Sign(appID, secret, "alice", 24*time.Hour, now)
	if err != nil {
		panic(err)
	}

	claims, err := usersig.Verify(sig, appID, "alice", usersig.Keys{Secret: secret}, now.Add(time.Hour))
	fmt.Println(claims.UserID, "until", claims.ExpiresAt().Format(time.DateTime), err)

	_, err = usersig.Verify(sig, appID, "alice", usersig.Keys{Secret: secret}, now.Add(25*time.Hour))
	fmt.Println(err)
	// Output:
	// alice until 2026-03-02 12:00:00 <nil>
	// usersig: signature expired
}

// A door that serves many apps first asks the signature which one it claims, and then proves it with that app's keys.
func ExampleParse() {
	sig, err := usersig.Sign(appID, "a guessed secret", "alice", time.Hour, time.Unix(1800000000, 0))
	if err != nil {
		panic(err)
	}
	apps := map[uint32]usersig.Keys{appID: {Secret: secret}}

	said, err := usersig.Parse(sig)
	if err != nil {
		panic(err)
	}
	_, err = usersig.Verify(sig, said.AppID, said.UserID, apps[said.AppID], time.Unix(1800000000, 0))
	fmt.Println(said.UserID, errors.Is(err, usersig.ErrBadSignature))
	// Output: alice true
}

func ExampleSignClaims() {
	sig, err := usersig.SignClaims(usersig.Claims{
		AppID:    appID,
		UserID:   "alice",
		IssuedAt: time.Unix(1800000000, 0),
		Expire:   5 * time.Minute,
		UserBuf:  []byte("room 7"),
	}, secret)
	if err != nil {
		panic(err)
	}
	claims, err := usersig.Parse(sig)
	fmt.Printf("%s %s %q %v\n", claims.Version, claims.UserID, claims.UserBuf, err)
	// Output: 2.0 alice "room 7" <nil>
}

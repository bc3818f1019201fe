// Package usersig signs and verifies UserSig, the signature with which an app vouches for one of its users.
//
// The app's back end holds a key and signs (app ID, user ID, time, lifetime); the user's client shows the result at login
// and an administrator's shows it on every REST call. Nothing is stored: whoever knows the key can check a signature.
//
// Two formats are spoken, and a reader tells them apart by the signature itself:
//
//   - version 2.0, HMAC-SHA256 with the app's secret, what every app has used since 2019 ([Sign]);
//   - the older one, ECDSA-SHA256 with an EC key pair, where the verifier holds only the public key ([SignECDSA]).
//
// Both are a JSON object, zlib-compressed, in base64 with '*', '-' and '_' for '+', '/' and '=', so that the text passes
// through a URL as it is. The plain-JSON form with a calendar date, which preceded both, is refused as malformed.
//
// A signature comes from whoever is at the door, so every size is bounded before memory is spent on it and every value
// under the proof has one accepted spelling. The package keeps no clock, no state and no settings: the caller brings the key
// and the time. It does not know which user IDs an app allows, whether an account exists, or when its signatures were last
// revoked; compare [Claims.IssuedAt] with the time of revocation for that.
package usersig

import "time"

// The formats of a UserSig, as [Claims.Version] names them.
const (
	// VersionHMAC is the format the signature itself calls "2.0".
	VersionHMAC = "2.0"
	// VersionECDSA is the older format. Its signatures carry a build date and no version of their own; the
	// reference library calls it "1.0".
	VersionECDSA = "1.0"
)

// MaxLen is the longest UserSig in bytes that [Parse] reads and [Sign] makes. One for a user ID of 32 bytes has about 230
// bytes (HMAC) or 340 (ECDSA); the rest is room for a user buffer.
const MaxLen = 8 << 10

// Bounds on what a signature may say. They leave no sum of two of them that overflows.
const (
	// maxIssuedAt is the last second of the year 9999, in Unix seconds.
	maxIssuedAt = 253402300799
	// maxExpire is about 136 years: the lifetime is an unsigned 32-bit number of seconds in the reference library.
	maxExpire = 1<<32 - 1
)

// Claims is what a UserSig says about itself. Coming from [Parse] it is only said; coming from [Verify] it is proven.
type Claims struct {
	// Version is [VersionHMAC] or [VersionECDSA]. [SignClaims] takes the empty string for VersionHMAC.
	Version string
	// AppID is the SDKAppID. It is never zero in a parsed signature.
	AppID uint32
	// UserID is the user the signature is for, compared byte by byte. A parsed one is not empty, is valid UTF-8 and has no
	// control characters; the app's own rules for user IDs are the caller's to apply.
	UserID string
	// IssuedAt is when the app signed, in whole seconds. It is the app's clock: it may lie in the future.
	IssuedAt time.Time
	// Expire is the lifetime counted from IssuedAt, in whole seconds.
	Expire time.Duration
	// UserBuf is an opaque addition under the signature (room permissions, for instance). Nil means that there is none,
	// which differs from an empty one.
	UserBuf []byte
}

// ExpiresAt is the last second in which the signature is good.
func (c Claims) ExpiresAt() time.Time { return c.IssuedAt.Add(c.Expire) }

// expired compares whole seconds, as the signature counts them.
func (c Claims) expired(now time.Time) bool { return now.Unix() > c.ExpiresAt().Unix() }

package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Device is a device that is logged in.
type Device struct {
	Account  Account
	Instance im.InstanceID
	Platform im.Platform
	// Address is where it is connected from, without a port.
	Address string
	// Token lets the device come back without a UserSig.
	Token string
	// Expires is when the UserSig it logged in with ends, and the session with it.
	Expires time.Time

	changed int64 // the device row's changed_at that this login or return wrote
}

// KickType says why a device was logged out, in the numbers that clients read (docs/protocol/wire.md#kick).
type KickType int

// The reasons for which a device may not come back. Zero is a device that may.
const (
	KickSamePlatform  KickType = 1 // the account logged in on another device of the same kind
	KickOtherPlatform KickType = 2 // it logged in on a kind of device that this one may not be online with
	KickREST          KickType = 3 // the back end ended the account's logins
	LoggedOut         KickType = 9 // the device itself; clients never see this number
)

// KickedError is the refusal to let a device come back that was logged out meanwhile.
type KickedError struct{ Reason KickType }

// Error says that the device was logged out.
func (e *KickedError) Error() string {
	return fmt.Sprintf("the device was logged out (reason %d)", e.Reason)
}

// Login is a request to log a device in with a UserSig.
type Login struct {
	Tenant   *app.Tenant
	UserID   string
	UserSig  string
	Platform im.Platform
	// Address is where the client connects from, without a port.
	Address string
}

// LogIn checks the UserSig, makes the account if this is its first login, and logs out the devices that the
// application's policy does not allow beside the new one.
func (a *Accounts) LogIn(ctx context.Context, l Login) (*Device, error) {
	if !im.ValidUserID(l.UserID) {
		return nil, im.Errorf(im.CodeSigWrongUser, "the user id must have 1 to %d bytes without control characters", im.MaxUserIDBytes)
	}
	claims, err := l.Tenant.Verify(l.UserSig, l.UserID, a.db.Now())
	if err != nil {
		return nil, err
	}
	found, err := a.Ensure(ctx, l.Tenant.App.ID, l.UserID, claims.IssuedAt.Unix())
	if err != nil {
		return nil, err
	}
	instance, err := newInstanceID()
	if err != nil {
		return nil, err
	}
	fresh := &device{
		account: found.ID, instance: instance, platform: l.Platform,
		signature: fingerprint(l.UserSig), issued: claims.IssuedAt.Unix(), expires: claims.ExpiresAt().Unix(),
	}
	lost, err := a.admit(ctx, l.Tenant.App.Settings, fresh, who{found, l.Platform, l.Address})
	if err != nil {
		return nil, err
	}
	for _, d := range lost {
		a.logOut(found.ID, d.instance, d.revoked)
	}
	return a.device(found, fresh, l.Address), nil
}

func (a *Accounts) device(of Account, d *device, address string) *Device {
	return &Device{
		Account: of, Address: address, Instance: d.instance, Platform: d.platform, Expires: time.Unix(d.expires, 0), changed: d.changed,
		Token: a.tokens.sign(token{app: of.App, account: of.ID, device: d.instance, expires: d.expires}),
	}
}

// admit stores the new device and revokes those that must give way to it; all in one commit, so two logins at once
// cannot both stay.
func (a *Accounts) admit(ctx context.Context, s im.Settings, fresh *device, w who) ([]device, error) {
	var lost []device
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		if err := checkNotRevoked(ctx, tx, fresh); err != nil {
			return err
		}
		others, err := standing(ctx, tx, fresh.account)
		if err != nil {
			return err
		}
		lost = givingWay(s, others, fresh.platform)
		for _, d := range lost {
			if _, err := revoke(tx, fresh.account, d.instance, d.revoked); err != nil {
				return err
			}
		}
		if err := a.lease.insertDevice(tx, fresh); err != nil {
			return err
		}
		return a.tellState(tx, w, cameOnline(), lost)
	})
	if err != nil {
		return nil, err // the write may still be running, and then lost is its own
	}
	return lost, nil
}

// checkNotRevoked refuses a UserSig from before the account's logins were ended. Both count whole seconds, so of the
// signatures of that very second those are refused that were in use.
func checkNotRevoked(ctx context.Context, tx *db.Tx, d *device) error {
	validAfter, err := db.One(ctx, tx, db.Number, `SELECT valid_after FROM account WHERE id = $1`, int64(d.account))
	if err != nil {
		return err
	}
	refused := d.issued < validAfter
	if d.issued == validAfter {
		used, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM device
			WHERE account_id = $1 AND signature = $2 AND revoked = $3`, int64(d.account), d.signature, int(KickREST))
		if err != nil {
			return err
		}
		refused = used > 0
	}
	if refused {
		return errRevoked()
	}
	return nil
}

func errRevoked() error {
	return im.Errorf(im.CodeSigRevoked, "the UserSig was revoked, make a new one")
}

// givingWay picks the devices that must be logged out for one more on the platform, newest kept, and sets in each why.
func givingWay(s im.Settings, others []device, fresh im.Platform) []device {
	var lost []device
	same := 0
	slices.SortStableFunc(others, func(x, y device) int { return int(y.changed - x.changed) })
	for _, d := range others {
		switch {
		case kindOf(d.platform) == kindOf(fresh):
			same++
			if same >= instances(s, fresh) {
				d.revoked = KickSamePlatform
				lost = append(lost, d)
			}
		case !together(s.LoginPolicy, d.platform, fresh):
			d.revoked = KickOtherPlatform
			lost = append(lost, d)
		}
	}
	return lost
}

func instances(s im.Settings, p im.Platform) int {
	if kindOf(p) == im.PlatformWeb {
		return s.WebInstances
	}
	return s.NativeInstances
}

// kindOf folds the platforms that share a place: the mini-program hosts and every other browser count as the web.
func kindOf(p im.Platform) im.Platform {
	switch p {
	case im.PlatformAndroid, im.PlatformIOS, im.PlatformMac, im.PlatformIPad, im.PlatformWindows:
		return p
	default:
		return im.PlatformWeb
	}
}

// together tells whether devices of two different kinds may be online at once (docs/protocol/limits.md#6-login-and-presence).
func together(policy im.LoginPolicy, x, y im.Platform) bool {
	x, y = kindOf(x), kindOf(y)
	switch policy {
	case im.PolicySingle:
		return false
	case im.PolicyDual:
		return (x == im.PlatformWeb) != (y == im.PlatformWeb)
	case im.PolicyTriple:
		return place(x) != place(y)
	default:
		return true
	}
}

func place(p im.Platform) int {
	const mobile, desktop, web = 1, 2, 3
	switch p {
	case im.PlatformWeb:
		return web
	case im.PlatformMac, im.PlatformWindows:
		return desktop
	default:
		return mobile
	}
}

// Resume lets a device come back with the token of its login. It refuses with CodeSigExpired when the login's UserSig
// has ended or the token is not ours, and with a *KickedError when the device was logged out meanwhile.
func (a *Accounts) Resume(ctx context.Context, tenant *app.Tenant, text, address string) (*Device, error) {
	t, err := a.tokens.verify(text)
	if err != nil || t.app != tenant.App.ID || t.expires < a.db.Now().Unix() {
		return nil, im.Errorf(im.CodeSigExpired, "the session has ended, log in again")
	}
	found, err := a.ByID(ctx, a.db, []im.AccountID{t.account})
	if err != nil {
		return nil, err
	}
	back := &device{account: t.account, instance: t.device}
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		if err := a.lease.comeBack(ctx, tx, back); err != nil {
			return err
		}
		return a.tellState(tx, who{found[t.account], back.platform, address}, cameOnline(), nil)
	})
	if errors.Is(err, db.ErrNotFound) {
		return nil, im.Errorf(im.CodeSigExpired, "the session has ended, log in again")
	}
	if err != nil {
		return nil, err
	}
	return a.device(found[t.account], back, address), nil
}

// LogOut ends the device's login: its token does not work any more.
func (a *Accounts) LogOut(ctx context.Context, d *Device) error {
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		revoked, err := revoke(tx, d.Account.ID, d.Instance, LoggedOut)
		if err != nil || !revoked {
			return err
		}
		return a.tellState(tx, d.who(), loggedOut(), nil)
	})
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

func newInstanceID() (im.InstanceID, error) {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, fmt.Errorf("draw instance id: %w", err)
	}
	return im.InstanceID(binary.BigEndian.Uint32(random[:])>>1 | 1), nil
}

// fingerprint recognises a UserSig again without keeping it.
func fingerprint(sig string) int64 {
	sum := sha256.Sum256([]byte(sig))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

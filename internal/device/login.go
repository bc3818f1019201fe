package device

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/im"
)

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
func (d *Devices) LogIn(ctx context.Context, l Login) (*Device, error) {
	if !im.ValidUserID(l.UserID) {
		return nil, im.Errorf(im.CodeSigWrongUser, "the user id must have 1 to %d bytes without control characters", im.MaxUserIDBytes)
	}
	claims, key, err := l.Tenant.Prove(l.UserSig, l.UserID, d.clock.Now())
	if err != nil {
		return nil, err
	}
	device, err := newDeviceID()
	if err != nil {
		return nil, err
	}
	fresh := &row{
		mark:   key,
		device: device, platform: l.Platform,
		signature: fingerprint(l.UserSig), issued: claims.IssuedAt.Unix(), expires: claims.ExpiresAt().Unix(),
	}
	one, err := d.enter(ctx, l, fresh)
	if errors.Is(err, account.ErrUnknown) { // it was deleted while it was logging in, so this is a first login
		d.accounts.Forget(l.Tenant.App.ID, l.UserID)
		one, err = d.enter(ctx, l, fresh)
	}
	if errors.Is(err, account.ErrUnknown) {
		return nil, account.ErrRevoked()
	}
	return one, err
}

// enter gives the fresh device its account and its place among the account's devices. account.ErrUnknown: the account was
// deleted meanwhile.
func (d *Devices) enter(ctx context.Context, l Login, fresh *row) (*Device, error) {
	found, err := d.accounts.Ensure(ctx, l.Tenant.App.ID, l.UserID, fresh.issued)
	if err != nil {
		return nil, err
	}
	fresh.account = found.ID
	one := &arrival{app: l.Tenant.App, fresh: fresh, who: who{found, l.Platform, l.Address}}
	if err := d.arrivals.Write(ctx, one); err != nil {
		return nil, err // the write may still be running, and then what it sets is its own
	}
	if one.refused != nil {
		return nil, one.refused
	}
	for _, other := range one.lost {
		d.tellKick(found.ID, other.device, KickedError{other.revoked, other.by})
	}
	d.cameOrWent(found.ID)
	return d.device(found, fresh, l.Address, fresh.mark), nil
}

func (d *Devices) device(of account.Account, r *row, address string, key app.Mark) *Device {
	return &Device{
		Account: of, Address: address, ID: r.device, Platform: r.platform, Expires: time.Unix(r.expires, 0), changed: r.changed, key: key,
		Token: d.tokens.sign(token{app: of.App, account: of.ID, device: r.device, expires: r.expires, key: key}),
	}
}

func newDeviceID() (im.DeviceID, error) {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, fmt.Errorf("draw device id: %w", err)
	}
	return im.DeviceID(binary.BigEndian.Uint32(random[:])>>1 | 1), nil
}

// fingerprint recognises a UserSig again without keeping it.
func fingerprint(sig string) int64 {
	sum := sha256.Sum256([]byte(sig))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

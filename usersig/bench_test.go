package usersig

import (
	"testing"
	"time"
)

func BenchmarkSign(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Sign(app, secret, "alice", time.Hour, issued); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	keys := Keys{Secret: secret, Public: mustKey(b, "secp256k1.pub.pem")}
	for _, kind := range []struct{ version, key string }{
		{VersionHMAC, secret},
		{VersionECDSA, read(b, "secp256k1.sec1.pem")},
	} {
		c := Claims{Version: kind.version, AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}
		sig := sign(b, c, kind.key)
		b.Run(kind.version, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Verify(sig, app, "alice", keys, issued); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

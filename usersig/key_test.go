package usersig

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

func TestPublicKeyRefuses(t *testing.T) {
	good := read(t, "secp256k1.pub.pem")
	for name, text := range map[string]string{
		"empty":          "",
		"not PEM":        "9b1f0c7d",
		"private key":    read(t, "secp256k1.pkcs8.pem"),
		"not DER":        block("PUBLIC KEY", []byte("no")),
		"trailing bytes": block("PUBLIC KEY", append(der(good), 0)),
		"off the curve":  block("PUBLIC KEY", flip(der(good), len(der(good))-1)),
		"another curve":  block("PUBLIC KEY", spki(t, oidPublicKey, asn1.ObjectIdentifier{1, 3, 132, 0, 34}, []byte{4})),
		"not EC":         block("PUBLIC KEY", spki(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, oidP256, []byte{4})),
		"no point":       block("PUBLIC KEY", spki(t, oidPublicKey, oidP256, nil)),
		"infinity":       block("PUBLIC KEY", spki(t, oidPublicKey, oidSecp256k1, []byte{0})),
	} {
		if k, err := ParsePublicKey(text); !errors.Is(err, ErrNoKey) || k != nil {
			t.Errorf("%s: got %v, %v", name, k, err)
		}
	}
	if err := checkECDSA(new(PublicKey), token{}); !errors.Is(err, ErrNoKey) {
		t.Errorf("zero value: %v", err)
	}
}

// Consoles hand out keys with text around them and with either spelling of the point.
func TestPublicKeySpellings(t *testing.T) {
	good := read(t, "secp256k1.pub.pem")
	full := der(good)
	k, err := secp256k1.ParsePubKey(full[len(full)-65:])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"text around":      "key of app 1:\n" + good + "end\n",
		"Windows lines":    strings.ReplaceAll(good, "\n", "\r\n"),
		"another before":   block("CERTIFICATE", []byte("x")) + good,
		"compressed point": block("PUBLIC KEY", spki(t, oidPublicKey, oidSecp256k1, k.SerializeCompressed())),
	} {
		if _, err := ParsePublicKey(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrivateKeyRefuses(t *testing.T) {
	type sec1 struct {
		Version int
		Scalar  []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	}
	type pkcs8 struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}
	plain := func(scalar []byte, curve asn1.ObjectIdentifier) string {
		return block("EC PRIVATE KEY", marshal(t, sec1{1, scalar, curve}))
	}
	wrapped := func(kind, outer asn1.ObjectIdentifier, key []byte) string {
		return block("PRIVATE KEY", marshal(t, pkcs8{0, algorithm{kind, outer}, key}))
	}
	one := append(make([]byte, 31), 1)
	for name, text := range map[string]string{
		"empty":          "",
		"public key":     read(t, "secp256k1.pub.pem"),
		"not DER":        block("EC PRIVATE KEY", []byte("no")),
		"trailing bytes": block("EC PRIVATE KEY", append(der(read(t, "secp256k1.sec1.pem")), 0)),
		"no curve":       plain(one, nil),
		"another curve":  plain(one, asn1.ObjectIdentifier{1, 3, 132, 0, 34}),
		"zero":           plain(make([]byte, 32), oidSecp256k1),
		"zero on P-256":  plain(make([]byte, 32), oidP256),
		"over the order": plain(bytes.Repeat([]byte{255}, 32), oidSecp256k1),
		"over on P-256":  plain(bytes.Repeat([]byte{255}, 32), oidP256),
		"too long":       plain(append(one, 1), oidSecp256k1),
		"not EC":         wrapped(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, oidP256, marshal(t, sec1{1, one, nil})),
		"nothing inside": wrapped(oidPublicKey, oidP256, nil),
		"two curves":     wrapped(oidPublicKey, oidP256, marshal(t, sec1{1, one, oidSecp256k1})),
	} {
		if _, err := SignECDSA(app, text, "alice", time.Hour, issued); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, text := range map[string]string{"short": plain([]byte{1}, oidSecp256k1), "full": plain(one, oidSecp256k1)} {
		if _, err := SignECDSA(app, text, "alice", time.Hour, issued); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func der(text string) []byte {
	for rest := []byte(text); ; {
		b, after := pem.Decode(rest)
		if b.Type != "EC PARAMETERS" {
			return b.Bytes
		}
		rest = after
	}
}

func flip(b []byte, at int) []byte {
	b[at] ^= 1
	return b
}

func spki(t *testing.T, kind, curve asn1.ObjectIdentifier, point []byte) []byte {
	return marshal(t, struct {
		Algorithm algorithm
		Point     asn1.BitString
	}{algorithm{kind, curve}, asn1.BitString{Bytes: point, BitLength: 8 * len(point)}})
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

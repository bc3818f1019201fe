package usersig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/pem"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Apps hold keys on secp256k1, and a few on P-256. crypto/x509 refuses the first and so the containers are read here.
var (
	oidPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSecp256k1 = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
	oidP256      = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
)

// scalarLen is the size of a private key on either curve.
const scalarLen = 32

// PublicKey verifies signatures of the older format. It is safe for concurrent use; the zero value is no key.
type PublicKey struct {
	verify func(digest, der []byte) bool
}

type signer func(digest []byte) ([]byte, error)

type algorithm struct {
	Kind  asn1.ObjectIdentifier
	Curve asn1.ObjectIdentifier
}

// ParsePublicKey reads the first "PUBLIC KEY" block (a SubjectPublicKeyInfo) of a PEM text: a key on secp256k1 or P-256, with
// the curve given by name and not by its parameters. The error is [ErrNoKey].
func ParsePublicKey(text string) (*PublicKey, error) {
	block := findBlock(text, "PUBLIC KEY")
	if block == nil {
		return nil, noKey("no PUBLIC KEY in the PEM text")
	}
	var info struct {
		Algorithm algorithm
		Point     asn1.BitString
	}
	if !unmarshal(block.Bytes, &info) || !info.Algorithm.Kind.Equal(oidPublicKey) {
		return nil, noKey("not an EC key on a named curve")
	}
	return publicKey(info.Algorithm.Curve, info.Point.RightAlign())
}

func publicKey(curve asn1.ObjectIdentifier, point []byte) (*PublicKey, error) {
	switch {
	case curve.Equal(oidSecp256k1):
		k, err := secp256k1.ParsePubKey(point)
		if err != nil {
			return nil, noKey("not a point on secp256k1")
		}
		return &PublicKey{verify: func(digest, der []byte) bool {
			s, err := secp256k1ecdsa.ParseDERSignature(der)
			return err == nil && s.Verify(digest, k)
		}}, nil
	case curve.Equal(oidP256):
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, noKey("not a point on P-256")
		}
		return &PublicKey{verify: func(digest, der []byte) bool { return ecdsa.VerifyASN1(k, digest, der) }}, nil
	}
	return nil, noKey("curve is neither secp256k1 nor P-256")
}

func parsePrivateKey(text string) (signer, error) {
	block := findBlock(text, "EC PRIVATE KEY", "PRIVATE KEY")
	if block == nil {
		return nil, noKey("no EC PRIVATE KEY or PRIVATE KEY in the PEM text")
	}
	if block.Type == "EC PRIVATE KEY" {
		return parseSEC1(block.Bytes, nil)
	}
	var info struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}
	if !unmarshal(block.Bytes, &info) || !info.Algorithm.Kind.Equal(oidPublicKey) {
		return nil, noKey("not an EC key on a named curve")
	}
	return parseSEC1(info.Key, info.Algorithm.Curve)
}

// parseSEC1 reads an ECPrivateKey. Inside PKCS#8 the curve stands outside it, and may stand inside again.
func parseSEC1(der []byte, curve asn1.ObjectIdentifier) (signer, error) {
	var key struct {
		Version int
		Scalar  []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		Point   asn1.BitString        `asn1:"optional,explicit,tag:1"`
	}
	if !unmarshal(der, &key) || len(key.Scalar) > scalarLen {
		return nil, noKey("not an EC private key on a named curve")
	}
	switch {
	case curve == nil:
		curve = key.Curve
	case key.Curve != nil && !key.Curve.Equal(curve):
		return nil, noKey("names two curves")
	}
	scalar := make([]byte, scalarLen)
	copy(scalar[scalarLen-len(key.Scalar):], key.Scalar)
	return privateKey(curve, scalar)
}

func privateKey(curve asn1.ObjectIdentifier, scalar []byte) (signer, error) {
	switch {
	case curve.Equal(oidSecp256k1):
		var n secp256k1.ModNScalar
		if tooBig := n.SetByteSlice(scalar); tooBig || n.IsZero() {
			return nil, noKey("private key is out of range")
		}
		k := secp256k1.NewPrivateKey(&n)
		return func(digest []byte) ([]byte, error) { return secp256k1ecdsa.Sign(k, digest).Serialize(), nil }, nil
	case curve.Equal(oidP256):
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
		if err != nil {
			return nil, noKey("private key is out of range")
		}
		// Without a source of randomness crypto/ecdsa signs as RFC 6979 says, as the other curve's library always does.
		return func(digest []byte) ([]byte, error) { return k.Sign(nil, digest, crypto.SHA256) }, nil
	}
	return nil, noKey("curve is neither secp256k1 nor P-256")
}

// findBlock skips other blocks: OpenSSL writes one with the curve's parameters before a private key.
func findBlock(text string, types ...string) *pem.Block {
	for rest := []byte(text); ; {
		block, after := pem.Decode(rest)
		if block == nil {
			return nil
		}
		for _, t := range types {
			if block.Type == t {
				return block
			}
		}
		rest = after
	}
}

func unmarshal(der []byte, to any) bool {
	rest, err := asn1.Unmarshal(der, to)
	return err == nil && len(rest) == 0
}
